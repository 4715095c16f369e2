/** One account in memory: what its file says, what is known of its tokens, and one thing at a time being done to it. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { labelOf, type Session } from "./session.ts";

/** A token is renewed this long before it ends when somebody is about to use it. */
const inlineMs = 60_000;
/** A token that is refused right after it was made is not the reason of the refusal. */
const justMadeMs = 30_000;
const firstRetryMs = 5_000;
const lastRetryMs = 300_000;

export class Account {
  readonly path: string;
  /** Stable and no secret. */
  readonly id: string;
  stamp: string;
  session: Session;
  /** New tokens that could not be written yet. */
  unsaved: Session | undefined;
  removed = false;
  /** The renewal that runs; everybody who needs one waits for it. */
  renewing: Promise<Session> | undefined;
  #refused = "";
  #failures = 0;
  #failedAt = 0;
  #queue: Promise<unknown> = Promise.resolve();
  lastError: unknown;

  constructor(path: string, stamp: string, session: Session, inFolder: boolean) {
    this.path = path;
    const name = inFolder ? basename(path) : createHash("sha256").update(path).digest("hex").slice(0, 12);
    this.id = `oauth:${name}`;
    this.stamp = stamp;
    this.session = session;
  }

  get target(): string {
    return labelOf(this.session) || basename(this.path, ".json");
  }

  /** Work on the file: one after another. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** There is no token that could be sent as it is. */
  get dead(): boolean {
    const { access_token } = this.session;
    return access_token === "" || access_token === this.#refused;
  }

  /** Tokens that live shorter than the lead are renewed in the second half of their life. */
  expiring(now: number, leadMs = inlineMs, capped = true): boolean {
    const { expire, last_refresh } = this.session;
    if (expire === 0) return false;
    const life = last_refresh > 0 && expire > last_refresh ? expire - last_refresh : Number.POSITIVE_INFINITY;
    return expire - now <= (capped ? Math.min(leadMs, life / 2) : leadMs);
  }

  /** The upstream said 401 to this token. True when another one can be had. */
  refuse(token: string, now: number): boolean {
    const { access_token, refresh_token, last_refresh } = this.session;
    if (token !== access_token) return !this.dead || refresh_token !== "";
    const age = now - last_refresh;
    if (refresh_token === "" || (age >= 0 && age < justMadeMs)) return false;
    this.#refused = token;
    return true;
  }

  /** How long to leave the token endpoint alone; 0 when it may be asked. */
  waitMs(now: number): number {
    if (this.#failures === 0) return 0;
    const pause = Math.min(firstRetryMs * 2 ** (this.#failures - 1), lastRetryMs);
    // A clock that was set back does not prolong it.
    return now < this.#failedAt ? 0 : Math.max(0, this.#failedAt + pause - now);
  }

  failed(error: unknown, now: number): void {
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#failedAt = now;
    this.lastError = error;
  }

  renewed(): void {
    this.#failures = 0;
    this.lastError = undefined;
    this.#refused = "";
  }
}
