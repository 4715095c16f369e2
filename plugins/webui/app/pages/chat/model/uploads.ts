/** The files of the message that is being written. */
import type { Attachment } from "./attachment.ts";
import { type Upload, upload } from "./upload.ts";

export interface Item {
  readonly name: string;
  fraction: number;
  done?: Attachment;
  error?: string;
  running?: Upload;
}

/** A message may name so many. */
const most = 32;

export class Uploads {
  readonly #changed: () => void;
  #items: readonly Item[] = [];

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  get done(): readonly Attachment[] {
    return this.#items.flatMap(({ done }) => done ?? []);
  }

  get isBusy(): boolean {
    return this.#items.some(({ done, error }) => done === undefined && error === undefined);
  }

  /** With files that are there already. */
  begin(files: readonly Attachment[]): void {
    for (const { running } of this.#items) running?.stop();
    this.#items = files.map((done) => ({ name: done.name, fraction: 1, done }));
  }

  add(files: readonly File[]): void {
    const items = files.slice(0, most - this.#items.length).map((file) => this.#start(file));
    this.#items = [...this.#items, ...items];
    this.#changed();
  }

  drop(item: Item): void {
    item.running?.stop();
    this.#items = this.#items.filter((one) => one !== item);
    this.#changed();
  }

  #start(file: File): Item {
    const item: Item = { name: file.name, fraction: 0 };
    item.running = upload(file, (fraction) => {
      item.fraction = fraction;
      this.#changed();
    });
    item.running.done
      .then(
        ({ path, name, size, type }) => {
          item.done = { path, name, size, type };
        },
        (error: Error) => {
          item.error = error.message;
        },
      )
      .finally(this.#changed);
    return item;
  }
}
