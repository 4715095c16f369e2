/** The login half of the simulated iLink: QR codes, what becomes of them, and the person with the phone. */
import { randomBytes } from "node:crypto";
import type { Asked, Side } from "./journal.ts";

export type Json = Readonly<Record<string, unknown>>;

export interface Confirmation {
  readonly botId?: string;
  readonly user?: string;
  readonly baseurl?: string;
  /** `false`: the answer lacks them. */
  readonly credentials?: boolean;
}

interface Qr {
  readonly key: string;
  readonly content: string;
  readonly madeAt: number;
  state: Json;
  /** Listener A sends on to this host; undefined: it answers itself. */
  redirect: string | undefined;
  user: string;
  code: string;
  triesLeft: number;
  /** Grows with each change; per listener, the one that was told last. */
  version: number;
  readonly told: Map<Side, number>;
  waiting: (() => void)[];
}

export interface LoginOptions {
  /** How long a question is held while nothing happens. */
  readonly qrHoldMs: number;
  readonly qrTtlMs: number;
}

const wait: Json = { status: "wait" };
const final: ReadonlySet<unknown> = new Set(["confirmed", "expired", "binded_redirect", "verify_code_blocked"]);

export class Logins {
  readonly #options: LoginOptions;
  readonly #codes = new Map<string, Qr>();
  /** Everything that must never be seen in a log. */
  readonly secrets: string[] = [];
  /** Keys in the order in which they were made. */
  readonly keys: string[] = [];

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  /** `get_bot_qrcode`. */
  make({ query }: Asked): Json {
    if (query.get("bot_type") !== "3") return { ret: 2, errmsg: "bad bot_type" };
    const key = this.#secret(16);
    const content = `http://sim.invalid/q?qrcode=${this.#secret(16)}&bot_type=3`;
    const qr: Qr = {
      key,
      content,
      madeAt: Date.now(),
      state: wait,
      redirect: undefined,
      user: "",
      code: "",
      triesLeft: 0,
      version: 0,
      told: new Map(),
      waiting: [],
    };
    this.secrets.push(content);
    this.#codes.set(key, qr);
    this.keys.push(key);
    return { ret: 0, qrcode: key, qrcode_img_content: content };
  }

  /** `get_qrcode_status`, held until there is something new to say. */
  async state({ query, side }: Asked, gone: AbortSignal): Promise<Json> {
    const qr = this.#codes.get(query.get("qrcode") ?? "");
    if (!qr) return { status: "expired" };
    if (Date.now() - qr.madeAt > this.#options.qrTtlMs) qr.state = { status: "expired" };
    const code = query.get("verify_code");
    if (code !== null) this.#judge(qr, code);
    else if (!final.has(qr.state.status) && (qr.told.get(side) ?? 0) === qr.version) await this.#news(qr, gone);
    qr.told.set(side, qr.version);
    if (side === "A" && qr.redirect !== undefined)
      return { status: "scaned_but_redirect", ...(qr.redirect === "" ? {} : { redirect_host: qr.redirect }) };
    return qr.state;
  }

  scan(key: string, user = "oSimUser_AbC@im.wechat"): void {
    this.#change(key, { status: "scaned" }, { user });
  }

  requireCode(key: string, code: string, tries = 3): void {
    this.secrets.push(code);
    this.#change(key, { status: "need_verifycode" }, { code, triesLeft: tries });
  }

  /** Gives the credentials that the client should have afterwards. */
  confirm(key: string, { botId, user, baseurl, credentials = true }: Confirmation = {}) {
    const bot = botId ?? `${randomBytes(6).toString("hex")}@im.bot`;
    const token = `${bot}:${this.#secret(16)}`;
    this.secrets.push(token);
    const scanner = user ?? (this.#find(key).user || "oSimUser_AbC@im.wechat");
    const given = credentials ? { bot_token: token, ilink_bot_id: bot, ilink_user_id: scanner } : {};
    this.#change(key, { status: "confirmed", ...given, ...(baseurl === undefined ? {} : { baseurl }) });
    return { bot, token, user: scanner };
  }

  expire(key: string): void {
    this.#change(key, { status: "expired" });
  }

  alreadyBound(key: string): void {
    this.#change(key, { status: "binded_redirect" });
  }

  /** An answer in words that nobody knows yet. */
  say(key: string, state: Json): void {
    this.#change(key, state);
  }

  /** Empty: the answer says where to, and does not. */
  redirect(key: string, host: string): void {
    this.#change(key, { status: "scaned" }, { redirect: host });
  }

  /** Ends what is held. */
  release(): void {
    for (const qr of this.#codes.values()) this.#wake(qr);
  }

  #judge(qr: Qr, code: string): void {
    qr.version += 1;
    if (qr.code === "" || code === qr.code) {
      qr.state = { status: "scaned" };
      return;
    }
    qr.triesLeft -= 1;
    qr.state = { status: qr.triesLeft > 0 ? "need_verifycode" : "verify_code_blocked" };
  }

  #change(key: string, state: Json, more: Partial<Pick<Qr, "user" | "code" | "triesLeft" | "redirect">> = {}): void {
    const qr = this.#find(key);
    Object.assign(qr, more, { state, version: qr.version + 1 });
    this.#wake(qr);
  }

  #wake(qr: Qr): void {
    const { waiting } = qr;
    qr.waiting = [];
    for (const wake of waiting) wake();
  }

  #news(qr: Qr, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.qrHoldMs);
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      qr.waiting.push(end);
      gone.addEventListener("abort", end, { once: true });
    });
  }

  #find(key: string): Qr {
    const qr = this.#codes.get(key);
    if (!qr) throw new Error(`there is no QR code ${key}`);
    return qr;
  }

  #secret(bytes: number): string {
    const secret = randomBytes(bytes).toString("hex");
    this.secrets.push(secret);
    return secret;
  }
}
