/** The files of the message that is being written. A few are sent at a time: what else is asked of the gateway goes on beside them. */
import type { Attachment } from "./attachment.ts";
import { type Upload, upload } from "./upload.ts";

export interface Item {
  readonly name: string;
  fraction: number;
  done?: Attachment;
  error?: string;
  running?: Upload;
}

interface Waiting {
  readonly item: Item;
  readonly file: File;
}

/** A message may name so many. */
export const mostFiles = 32;
const atOnce = 3;

export class Uploads {
  readonly #changed: () => void;
  #items: readonly Item[] = [];
  #waiting: readonly Waiting[] = [];

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
    this.#waiting = [];
    for (const { running } of this.#items) running?.stop();
    this.#items = files.map((done) => ({ name: done.name, fraction: 1, done }));
  }

  /** False when some of them found no place. */
  add(files: readonly File[]): boolean {
    const room = Math.max(0, mostFiles - this.#items.length);
    const added = files.slice(0, room).map((file) => ({ file, item: { name: file.name, fraction: 0 } }));
    this.#items = [...this.#items, ...added.map(({ item }) => item)];
    this.#waiting = [...this.#waiting, ...added];
    this.#next();
    this.#changed();
    return files.length <= room;
  }

  drop(item: Item): void {
    this.#waiting = this.#waiting.filter((one) => one.item !== item);
    item.running?.stop();
    this.#items = this.#items.filter((one) => one !== item);
    this.#changed();
  }

  #next(): void {
    const running = this.#items.filter((item) => item.running !== undefined).length;
    const begun = this.#waiting.slice(0, Math.max(0, atOnce - running));
    this.#waiting = this.#waiting.slice(begun.length);
    for (const one of begun) void this.#send(one);
  }

  async #send({ item, file }: Waiting): Promise<void> {
    const running = upload(file, (fraction) => {
      item.fraction = fraction;
      this.#changed();
    });
    item.running = running;
    try {
      const { path, name, size, type } = await running.done;
      item.done = { path, name, size, type };
    } catch (error) {
      item.error = (error as Error).message;
    }
    delete item.running;
    this.#next();
    this.#changed();
  }
}
