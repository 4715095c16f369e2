/** The logins that go on or have lately failed, in the order in which they began. Bounded in number. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { GatewayError } from "@chela/sdk";
import { Login, type LoginWays } from "./login.ts";

const maxLogins = 8;

export class Logins {
  readonly #ways: LoginWays;
  readonly #abort = new AbortController();
  #list: readonly Login[] = [];
  #starting = 0;

  constructor(ways: Omit<LoginWays, "changed">, told: (login: Login) => void) {
    const changed = (login: Login) => {
      if (login.succeeded) this.#forget(login);
      told(login);
    };
    this.#ways = { ...ways, changed };
  }

  list(): readonly Login[] {
    const oldest = this.#ways.now() - this.#ways.timing.keepMs;
    this.#list = this.#list.filter(({ standing }) => standing.endedAt === 0 || standing.endedAt > oldest);
    return this.#list;
  }

  find(id: string): Login {
    const login = this.list().find((one) => one.id === id);
    if (login) return login;
    throw new GatewayError("WEIXIN_LOGIN_UNKNOWN", 404, "login_id not found");
  }

  /** Resolves when there is a QR code, and what the server says first, if it says it soon. */
  async start(signal: AbortSignal): Promise<Login> {
    const going = this.list().filter(goesOn).length + this.#starting;
    if (going >= maxLogins) {
      throw new GatewayError("WEIXIN_LOGINS_FULL", 429, `${going} logins are pending: finish or cancel one first`);
    }
    this.#starting += 1;
    const login = await this.#begin(signal).finally(() => {
      this.#starting -= 1;
    });
    const looked = new AbortController();
    await Promise.race([login.looked, sleep(this.#ways.timing.firstLookMs, undefined, { signal: looked.signal })]);
    looked.abort();
    return login;
  }

  cancel(id: string): void {
    const login = this.find(id);
    this.#forget(login);
    login.close();
  }

  /** Ends all of them at once; resolves when nothing of them runs. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.clear();
  }

  async clear(): Promise<void> {
    const logins = this.#list;
    this.#list = [];
    for (const login of logins) login.close();
    await Promise.all(logins.map(({ over }) => over));
  }

  async #begin(signal: AbortSignal): Promise<Login> {
    const { baseUrl, fetchQrCode, now, timing } = this.#ways;
    const base = baseUrl();
    const signals = AbortSignal.any([signal, this.#abort.signal]);
    const qr = await fetchQrCode({ base, timeoutMs: timing.qrMs, signal: signals });
    // What ended to make room for it is the oldest that did.
    const ended = this.#list.filter((one) => !goesOn(one));
    const kept = ended.slice(Math.max(0, ended.length - maxLogins + 1));
    const login = new Login(`clawgo-weixin:${now()}-${randomBytes(4).toString("hex")}`, { qr, base }, this.#ways);
    this.#list = [...this.#list.filter((one) => goesOn(one) || kept.includes(one)), login];
    this.#ways.changed(login);
    return login;
  }

  #forget(login: Login): void {
    this.#list = this.#list.filter((one) => one !== login);
  }
}

function goesOn({ standing }: Login): boolean {
  return standing.endedAt === 0;
}
