/** The work on the text of the config: what is there, what was typed, what the gateway thinks of it, and what became of a save. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { type GatewayEvent, gateway } from "../../client/gateway.ts";
import { ApiError, call } from "../../client/http.ts";
import { session } from "../../client/session.ts";
import { t } from "../../i18n/locale.ts";
import type { Merged } from "../../parts/line-diff.ts";
import { Load } from "../../parts/load.ts";
import { TextDraft } from "../../parts/text-draft.ts";
import {
  type ChangeResult,
  type ConfigDraft,
  type ConfigState,
  configEvents,
  type LocatedProblem,
  readConfig,
} from "./api.ts";

/** Quiet time after a key before the gateway is asked. */
const quietMs = 300;

type Host = ReactiveControllerHost & Element;

export class ConfigWork implements ReactiveController {
  readonly draft = new TextDraft("config");
  readonly source: Load<ConfigState>;
  /** Of the typed text, or of what it was a moment ago while `judging`. */
  judged: ConfigDraft | undefined;
  result: ChangeResult | undefined;
  /** Why it was not written, as far as that is known. */
  failure: ApiError | undefined;
  /** Why the typed text could not be judged. */
  unjudged: ApiError | undefined;
  saving = false;
  judging = false;
  /** What the last change of somebody else was, in words of the journal. */
  changedBy = "";
  readonly #host: Host;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = new AbortController();
  /** What the last judgement took: of a text of megabytes none is asked for at every pause. */
  #tookMs = 0;
  #forget: (() => void) | undefined;

  constructor(host: Host) {
    this.#host = host;
    host.addController(this);
    this.source = new Load(host, (signal) => this.#load(signal), { events: configEvents });
  }

  hostConnected(): void {
    this.#forget = gateway.on(["config_changed"], (event) => this.#heard(event));
  }

  hostDisconnected(): void {
    this.#forget?.();
    clearTimeout(this.#timer);
    this.#asked.abort();
  }

  get mayWrite(): boolean {
    return session.can("admin");
  }

  /** What is wrong with the text that is shown. */
  get problems(): readonly LocatedProblem[] {
    return this.judged?.problems ?? this.source.value?.problems ?? [];
  }

  type(text: string): void {
    this.draft.type(text);
    this.failure = undefined;
    this.#judgeSoon();
  }

  /** Back to what is on the gateway. */
  discard(): void {
    const { theirs } = this.draft;
    if (theirs) this.draft.begin(theirs);
    this.failure = undefined;
    this.#judgeSoon();
  }

  merge(): Merged {
    const merged = this.draft.merge({
      mine: `// <<<<<<< ${t("config.merge.mine")}`,
      middle: "// =======",
      theirs: `// >>>>>>> ${t("config.merge.theirs")}`,
    });
    this.#judgeSoon();
    return merged;
  }

  /** Asks the gateway about the text as it is now. Resolves with nothing when it did not answer, or was asked again meanwhile. */
  async judge(): Promise<ConfigDraft | undefined> {
    this.#await();
    if (!this.judging) return undefined;
    const { signal } = this.#asked;
    const from = performance.now();
    try {
      const judged = await call<ConfigDraft>("config.validate", { text: this.draft.mine }, { signal });
      if (signal.aborted) return undefined;
      this.#tookMs = performance.now() - from;
      this.judged = judged;
      return judged;
    } catch (error) {
      if (!signal.aborted) this.unjudged = asApiError(error);
      return undefined;
    } finally {
      if (!signal.aborted) this.judging = false;
      this.#host.requestUpdate();
    }
  }

  /** What was asked before is no answer any more. */
  #await(): void {
    clearTimeout(this.#timer);
    this.#asked.abort();
    this.#asked = new AbortController();
    this.judging = this.draft.isChanged && this.mayWrite;
    this.unjudged = undefined;
    if (!this.draft.isChanged) this.judged = undefined;
    this.#host.requestUpdate();
  }

  /** True when it was written. Whatever was typed stays as long as it was not. */
  async save(force: boolean): Promise<boolean> {
    const { base, mine } = this.draft;
    if (base === undefined || this.saving) return false;
    this.saving = true;
    this.result = undefined;
    this.failure = undefined;
    this.#host.requestUpdate();
    try {
      this.result = await call<ChangeResult>(
        "config.write",
        { text: mine, baseHash: base.hash, force },
        { timeout: 120_000 },
      );
      await this.#follow(mine);
      return true;
    } catch (error) {
      this.#failed(error);
      await this.source.again();
      return false;
    } finally {
      this.saving = false;
      this.#host.requestUpdate();
    }
  }

  /** The text as it is shown from now on: what was typed as a secret is masked. What cannot be read now is read when it is back. */
  async #follow(written: string): Promise<void> {
    const hash = this.result?.hash ?? "";
    const state = await readConfig(AbortSignal.timeout(30_000)).catch(() => undefined);
    // The listener may be another one by now.
    if (state === undefined && this.draft.mine === written) this.draft.begin({ text: written, hash });
    if (state === undefined) return;
    this.source.set(state);
    if (this.draft.mine === written && state.hash === hash) this.draft.begin(state);
    else this.draft.arrived(state);
    void this.judge();
  }

  async #load(signal: AbortSignal): Promise<ConfigState> {
    const state = await readConfig(signal);
    if (signal.aborted) return state;
    this.draft.arrived(state);
    // It answers again: whether the text was written can be seen.
    if (this.failure?.status === 0) this.failure = undefined;
    if (!this.saving) void this.#settle();
    return state;
  }

  /** A write whose answer was lost: what is there may be what was typed, secrets masked. */
  async #settle(): Promise<void> {
    const judged = await this.judge();
    const { theirs, isOvertaken } = this.draft;
    if (!judged || !isOvertaken || judged.hash !== theirs?.hash) return;
    if (judged.diff === "" && judged.changes.length === 0) this.discard();
  }

  #heard({ source, why }: GatewayEvent): void {
    if (this.saving) return;
    this.result = undefined;
    this.changedBy = String(why ?? source ?? "");
  }

  #failed(error: unknown): void {
    this.failure = asApiError(error);
    const problems = this.failure.details.problems as readonly LocatedProblem[] | undefined;
    if (problems && this.judged) this.judged = { ...this.judged, ok: false, problems };
  }

  #judgeSoon(): void {
    this.#await();
    this.#timer = setTimeout(() => void this.judge(), Math.max(quietMs, 2 * this.#tookMs));
  }
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError({ status: 0, code: "", message: (error as Error).message });
}
