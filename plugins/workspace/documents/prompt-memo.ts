/**
 * What prompts begin with, for agents that were asked for a moment ago. Invariant: it is told again only while no text of the
 * cache was read anew or forgotten, under the same settings, and for a fraction of the time between two looks at the disk,
 * so that those go on as if there were no memo.
 */
import type { WorkspaceDocument } from "@chela/sdk";

const keptMs = 500;
const most = 64;

type Documents = readonly WorkspaceDocument[];

interface Told {
  readonly state: readonly unknown[];
  readonly until: number;
  readonly documents: Promise<Documents>;
}

export class PromptMemo {
  readonly #state: () => readonly unknown[];
  readonly #make: (agent: string | undefined) => Promise<Documents>;
  readonly #told = new Map<string, Told>();

  /** `state`: all that the documents are made of, as things that are others when they change. */
  constructor(state: () => readonly unknown[], make: (agent: string | undefined) => Promise<Documents>) {
    this.#state = state;
    this.#make = make;
  }

  get(agent: string | undefined): Promise<Documents> {
    const key = agent ?? "";
    const state = this.#state();
    const now = performance.now();
    const known = this.#told.get(key);
    if (known && now < known.until && known.state.every((part, index) => part === state[index])) return known.documents;
    if (this.#told.size >= most) this.#told.clear();
    const documents = this.#make(agent);
    this.#told.set(key, { state, until: now + keptMs, documents });
    documents.catch(() => this.#told.delete(key));
    return documents;
  }
}
