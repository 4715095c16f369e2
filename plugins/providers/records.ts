/**
 * What a model call means to others: `model:before` may refuse it, `model:done` tells how it ended, on every way to a model. With
 * nobody listening neither is made. A call is told exactly once, whatever ends it.
 */
import { GatewayError, type ModelCaller, type ModelCallRecord, type Usage } from "@chela/sdk";
import type { Candidate } from "./failover/failover.ts";

export interface CallHooks {
  listens(hook: "model:before" | "model:done"): boolean;
  before(caller: ModelCaller, model: string): Promise<GatewayError | undefined>;
  done(record: ModelCallRecord): void;
}

export interface Ended {
  readonly usage?: Usage | null;
  readonly error?: unknown;
}

export class Records {
  readonly #hooks: CallHooks;
  readonly #now: () => number;

  constructor(hooks: CallHooks, now: () => number) {
    this.#hooks = hooks;
    this.#now = now;
  }

  /** Throws what refuses the call. Undefined: nobody wants to know how it ends. */
  async begin(caller: ModelCaller, asked: string): Promise<CallRecord | undefined> {
    if (this.#hooks.listens("model:before")) {
      const refusal = await this.#hooks.before(caller, asked);
      if (refusal) throw refusal;
    }
    if (!this.#hooks.listens("model:done")) return undefined;
    return new CallRecord(this.#hooks, { caller, asked, now: this.#now });
  }
}

export class CallRecord {
  readonly #hooks: CallHooks;
  readonly #caller: ModelCaller;
  readonly #asked: string;
  readonly #now: () => number;
  readonly #at = Date.now();
  readonly #began: number;
  #candidate: Candidate | undefined;
  #failed = 0;
  #firstTokenMs: number | null = null;
  #told = false;

  constructor(hooks: CallHooks, { caller, asked, now }: { caller: ModelCaller; asked: string; now: () => number }) {
    this.#hooks = hooks;
    this.#caller = caller;
    this.#asked = asked;
    this.#now = now;
    this.#began = now();
  }

  /** Nobody was told of its end yet. Asked where the error would be made for nothing: its stack costs. */
  get isOpen(): boolean {
    return !this.#told;
  }

  /** One began to answer, after so many had failed. */
  answered(candidate: Candidate, failed: number): void {
    this.#candidate = candidate;
    this.#failed = failed;
    this.#firstTokenMs = this.#passed();
  }

  end({ usage = null, error }: Ended): void {
    if (this.#told) return;
    this.#told = true;
    const candidate = this.#candidate;
    const model = candidate?.id ?? this.#asked;
    const { purpose, identity, agent, session, turn } = this.#caller;
    // Field by field: a spread with fields behind it costs more than all the rest of a record.
    this.#hooks.done({
      caller: this.#caller,
      purpose,
      identity,
      agent,
      session,
      turn,
      at: this.#at,
      asked: this.#asked,
      model,
      provider: candidate?.provider ?? model.slice(0, Math.max(0, model.indexOf("/"))),
      credential: candidate?.credential.target ?? "",
      usage,
      ms: this.#passed(),
      firstTokenMs: this.#firstTokenMs,
      failed: candidate ? this.#failed : attemptsIn(error),
      error: error === undefined ? undefined : codeOf(error),
    });
  }

  #passed(): number {
    return Math.round((this.#now() - this.#began) * 10) / 10;
  }
}

function codeOf(error: unknown): string {
  return GatewayError.is(error) ? error.code : "INTERNAL";
}

function attemptsIn(error: unknown): number {
  const attempts = GatewayError.is(error) ? error.details?.attempts : undefined;
  return Array.isArray(attempts) ? attempts.length : 0;
}
