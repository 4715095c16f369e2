/** Looks for words in what was said, a moment after the last key. */
import { call } from "../../../client/http.ts";

export interface Hit {
  readonly key: string;
  readonly title?: string | undefined;
  readonly seq: number;
  readonly text: string;
}

interface Answer {
  readonly results: readonly {
    readonly key: string;
    readonly title?: string;
    readonly snippets: readonly { readonly seq: number; readonly content: string }[];
  }[];
}

const calmMs = 250;
const most = 20;

export class Said {
  words = "";
  hits: readonly Hit[] = [];
  isBusy = false;
  readonly #changed: () => void;
  #pending: ReturnType<typeof setTimeout> | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  look(words: string): void {
    clearTimeout(this.#pending);
    this.words = words;
    this.isBusy = words !== "";
    this.hits = [];
    if (words !== "") this.#pending = setTimeout(() => void this.#ask(words), calmMs);
    this.#changed();
  }

  async #ask(words: string): Promise<void> {
    const { results } = await call<Answer>("sessions.search", { query: words, limit: most }).catch(
      (): Answer => ({ results: [] }),
    );
    if (words !== this.words) return;
    this.hits = results.flatMap(({ key, title, snippets }) =>
      snippets.slice(0, 2).map(({ seq, content }) => ({ key, title, seq, text: content.slice(0, 300) })),
    );
    this.isBusy = false;
    this.#changed();
  }
}
