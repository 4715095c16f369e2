/** What keeps a turn from going on for ever: its tokens, those of its subagents included, and calls that fail the same way again and again. */
import type { ModelReply, ModelRequest, ToolCall, Usage } from "@chela/sdk";
import { messageTokens, textTokens } from "./context/tokens.ts";

/** Tokens of a tree of turns: what a child takes, its parents have taken too. */
export class Budget {
  readonly limit: number;
  readonly #parent: Budget | undefined;
  #spent = 0;
  #last = 0;

  /** 0: no limit. */
  constructor(limit: number, parent?: Budget) {
    this.limit = limit > 0 ? limit : Number.POSITIVE_INFINITY;
    this.#parent = parent;
  }

  /** An upstream that tells no usage is estimated, but only where somebody counts. */
  count(usage: Usage | null, request: ModelRequest, reply: ModelReply): void {
    if (!this.counts) return;
    const tokens = usage
      ? usage.inputTokens + usage.outputTokens
      : messageTokens(request.messages) + textTokens(reply.text);
    this.#last = tokens;
    this.take(tokens);
  }

  /** True when one more call like the last one would not fit. */
  get tight(): boolean {
    return this.wouldExceed(this.#last);
  }

  get exhausted(): boolean {
    return this.wouldExceed(1);
  }

  get counts(): boolean {
    return this.limit !== Number.POSITIVE_INFINITY || (this.#parent?.counts ?? false);
  }

  take(tokens: number): void {
    this.#spent += tokens;
    this.#parent?.take(tokens);
  }

  wouldExceed(more: number): boolean {
    return this.#spent + more > this.limit || (this.#parent?.wouldExceed(more) ?? false);
  }
}

const sameFailures = 3;

/** Notices the same call failing the same way, time after time. */
export class LoopGuard {
  #last = "";
  #times = 0;

  /** A sentence for the model, or nothing. */
  note(call: ToolCall, ok: boolean, output: string): string | undefined {
    const key = ok ? "" : JSON.stringify([call.name, call.arguments, output]);
    this.#times = key !== "" && key === this.#last ? this.#times + 1 : 1;
    this.#last = key;
    if (ok || this.#times < sameFailures) return undefined;
    return `This same call has failed the same way ${this.#times} times in a row. Do not repeat it: change the arguments, take another way, or tell the user what is missing.`;
  }
}
