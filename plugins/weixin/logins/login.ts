/**
 * One login by QR code, followed in the background until it is confirmed, at its end, or cancelled. It asks one thing at a time
 * and keeps what came of it; who wants to know reads that and never waits for the server. It is not kept over a restart of the
 * plugin: a QR code lives for two minutes, and its key, which is as good as the account, is better not written down.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { GatewayError, messageOf } from "@chela/sdk";
import { withoutSecrets } from "../ilink/client.ts";
import type { LoginState, Place, QrCode } from "../ilink/login-calls.ts";
import type { Timing } from "../timing.ts";

export interface Credentials {
  readonly botId: string;
  readonly token: string;
  readonly userId: string;
  /** The base that the server named for the account; empty: none. */
  readonly namedBase: string;
  /** The one that answered. */
  readonly base: string;
}

/** What a login needs of the others. */
export interface LoginWays {
  readonly timing: Timing;
  readonly now: () => number;
  /** Where a login begins. */
  readonly baseUrl: () => string;
  /** The base that a server means, if it may be trusted. */
  readonly baseNamed: (told: string) => string | undefined;
  readonly fetchQrCode: (place: Place) => Promise<QrCode>;
  readonly fetchState: (place: Place, qr: QrCode, code: string) => Promise<LoginState>;
  readonly save: (credentials: Credentials) => Promise<void>;
  /** True when an account is stored here. */
  readonly hasAccounts: () => boolean;
  /** Its status is another one. */
  readonly changed: (login: Login) => void;
}

/** Where a login stands. */
export interface Standing {
  /** In Tencent's words; `failed` is ours. */
  readonly status: string;
  /** Why the last attempt came to nothing; empty when it did not. */
  readonly lastError: string;
  /** The last answer was none to the question: this is not how iLink talks. */
  readonly unreadable: boolean;
  readonly updatedAt: number;
  /** 0 while it goes on. */
  readonly endedAt: number;
}

const maxQrCodes = 3;
/** The longest pause is so many times the usual one. */
const maxBackoff = 30;
const successes: ReadonlySet<string> = new Set(["confirmed", "binded_redirect"]);

export class Login {
  readonly id: string;
  /** The server has said something for the first time, or never will. */
  readonly looked: Promise<void>;
  /** Nothing of it runs any more. */
  readonly over: Promise<void>;
  #standing: Standing;
  readonly #ways: LoginWays;
  readonly #deadline: number;
  readonly #abort = new AbortController();
  #qr: QrCode | undefined;
  #qrCodes = 1;
  #base: string;
  /** The number from the phone, until the server has judged it. */
  #code = "";
  #isWrongCode = false;
  /** Ends what is waited for, since there is something to send. */
  #wake = new AbortController();
  #credentials: Credentials | undefined;
  #failures = 0;

  constructor(id: string, first: { readonly qr: QrCode; readonly base: string }, ways: LoginWays) {
    this.id = id;
    this.#ways = ways;
    this.#qr = first.qr;
    this.#base = first.base;
    const updatedAt = ways.now();
    this.#standing = { status: "wait", lastError: "", unreadable: false, updatedAt, endedAt: 0 };
    this.#deadline = updatedAt + ways.timing.loginMs;
    let looked = () => {};
    this.looked = new Promise((resolve) => {
      looked = resolve;
    });
    this.over = this.#run(looked);
  }

  get standing(): Standing {
    return this.#standing;
  }

  get #ended(): boolean {
    return this.#standing.endedAt > 0;
  }

  /** It has become an account, or was one before. */
  get succeeded(): boolean {
    return this.#ended && successes.has(this.#standing.status);
  }

  /** What there is to scan. */
  get qr(): QrCode | undefined {
    return this.#ended ? undefined : this.#qr;
  }

  /** Takes the number that the phone shows. False when none is asked for. */
  verify(code: string): boolean {
    if (this.#standing.status !== "need_verifycode" || this.#code !== "" || this.#ended) return false;
    this.#code = code;
    this.#isWrongCode = false;
    this.#wake.abort();
    return true;
  }

  /** What is on its way is given up at once. */
  close(): void {
    this.#abort.abort();
  }

  async #run(looked: () => void): Promise<void> {
    while (this.#goesOn()) {
      this.#wake = new AbortController();
      const signal = AbortSignal.any([this.#abort.signal, this.#wake.signal]);
      await this.#step(signal).catch((error: unknown) => signal.aborted || this.#failed(error));
      looked();
      if (!this.#goesOn()) break;
      const pauseMs = this.#ways.timing.pauseMs * Math.min(2 ** this.#failures, maxBackoff);
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    looked();
  }

  #goesOn(): boolean {
    if (this.#abort.signal.aborted || this.#ended) return false;
    if (this.#ways.now() < this.#deadline) return true;
    if (this.#credentials) this.#end("failed", this.#standing.lastError);
    else this.#end("expired", "nobody confirmed the login in time");
    return false;
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { timing, fetchQrCode, fetchState, save, baseUrl } = this.#ways;
    const place = (base: string, ms: number): Place => {
      return { base, signal, timeoutMs: Math.max(1, Math.min(ms, this.#deadline - this.#ways.now())) };
    };
    if (this.#credentials) {
      await save(this.#credentials);
      this.#end("confirmed");
    } else if (this.#qr) {
      const code = this.#code;
      const state = await fetchState(place(this.#base, timing.pollMs), this.#qr, code);
      if (code !== "") {
        this.#code = "";
        this.#isWrongCode = true;
      }
      this.#failures = 0;
      await this.#take(state, signal);
    } else {
      const base = baseUrl();
      this.#qr = await fetchQrCode(place(base, timing.qrMs));
      this.#base = base;
      this.#qrCodes += 1;
      this.#failures = 0;
      this.#tell("wait");
    }
  }

  async #take(state: LoginState, signal: AbortSignal): Promise<void> {
    switch (state.status) {
      case "confirmed":
        return this.#confirm(state, signal);
      case "binded_redirect":
        if (this.#ways.hasAccounts()) return this.#end(state.status);
        return this.#end("failed", "WeChat says that this gateway is bound already, but no account is stored here");
      case "expired":
      case "verify_code_blocked":
        return this.#renew(state.status, signal);
      case "scaned_but_redirect":
        return this.#redirect(state);
      case "need_verifycode":
        return this.#tell(state.status, this.#isWrongCode ? "the number was not right" : "");
      default:
        return this.#tell(state.status);
    }
  }

  /** Saved before anybody is told; what cannot be saved now is tried again. */
  async #confirm({ botId, token, userId, baseUrl }: LoginState, signal: AbortSignal): Promise<void> {
    if (botId === "" || token === "") return this.#end("failed", "confirmed without credentials: log in again");
    this.#credentials = { botId, token, userId, namedBase: baseUrl, base: this.#base };
    this.#qr = undefined;
    await this.#step(signal);
  }

  async #renew(status: string, signal: AbortSignal): Promise<void> {
    if (this.#qrCodes >= maxQrCodes) return this.#end(status, `${maxQrCodes} QR codes were shown in vain`);
    this.#qr = undefined;
    this.#tell(status);
    await this.#step(signal);
  }

  #redirect({ status, redirectHost }: LoginState): void {
    const base = this.#ways.baseNamed(redirectHost);
    if (base !== undefined) this.#base = base;
    this.#tell(status, base === undefined ? this.#whyNot(redirectHost) : "");
  }

  #whyNot(redirectHost: string): string {
    if (redirectHost === "") return "missing redirect_host";
    const host = withoutSecrets(redirectHost, [this.#qr?.content ?? "", this.#qr?.key ?? ""]);
    return `redirect_host ${host} is refused: it is neither Tencent's nor in channels.weixin.allow_hosts`;
  }

  /** A server that says nothing for a while is as usual; whatever else goes wrong is told, and tried again. */
  #failed(error: unknown): void {
    const code = GatewayError.is(error) ? error.code : "";
    if (code === "ILINK_TIMEOUT" && this.#qr) return;
    this.#failures += 1;
    const status = this.#credentials ? "confirmed" : this.#standing.status;
    const unreadable = code === "ILINK_ABSENT" || code === "ILINK_UNREADABLE";
    this.#set({ ...this.#standing, status, lastError: messageOf(error), unreadable });
  }

  #tell(status: string, lastError = ""): void {
    this.#set({ ...this.#standing, status, lastError, unreadable: false });
  }

  #end(status: string, lastError = ""): void {
    this.#set({ ...this.#standing, status, lastError, unreadable: false, endedAt: this.#ways.now() });
  }

  #set(standing: Standing): void {
    const before = this.#standing;
    this.#standing = { ...standing, updatedAt: this.#ways.now() };
    if (before.status !== standing.status || this.#ended) this.#ways.changed(this);
  }
}
