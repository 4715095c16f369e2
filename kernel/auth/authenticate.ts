/**
 * From credentials to an identity, under the limiter. A blocked address is refused before anything is compared, and a
 * guess is reserved before anybody but the kernel's own tap is asked; that tap answers at once, so a right token costs
 * neither a promise nor a reservation.
 */
import { type Access, BoundedMap, type Credentials, GatewayError, type Identity } from "@chela/sdk";
import { limiterKey } from "./address.ts";
import type { AuthLimiter, Refusal, Reservation } from "./limiter.ts";
import { fromForeignPage } from "./origin.ts";
import type { ResolvedAuth } from "./settings.ts";
import { anonymous, identifyTap, unauthorized } from "./taps.ts";

type MaybePromise<T> = T | Promise<T>;
/** Runs the `auth:identify` hook. */
export type Identify = (credentials: Credentials) => MaybePromise<Identity | undefined>;

export interface AuthenticatorOptions {
  readonly limiter: AuthLimiter;
  readonly settings: () => ResolvedAuth;
}

const maxStale = 1024;

export class Authenticator {
  readonly #limiter: AuthLimiter;
  /** Cookies that were wrong, by address and digest. */
  readonly #stale = new BoundedMap<string, true>(maxStale);
  readonly #settings: () => ResolvedAuth;
  readonly #builtin: (credentials: Credentials) => Identity | undefined;

  constructor({ limiter, settings }: AuthenticatorOptions) {
    this.#limiter = limiter;
    this.#settings = settings;
    this.#builtin = identifyTap(settings);
  }

  /**
   * Who asks. Throws (or rejects with) `UNAUTHORIZED` 401 and `RATE_LIMITED` 429. A public entrance never refuses: there
   * the answer may be anonymous, but a wrong credential counts all the same.
   */
  authenticate(credentials: Credentials, identify: Identify, access: Access): MaybePromise<Identity> {
    const { candidates } = credentials;
    if (candidates.length === 0) return this.#withoutSecret(credentials, identify, access);
    const key = this.#key(credentials);
    const state = this.#limiter.peek(key);
    if (typeof state === "object") return blocked(state, access);
    const known = state === "free" ? this.#builtin(credentials) : undefined;
    if (known !== undefined) return known;
    const guesses = new Set(candidates.map(({ value }) => value)).size;
    const entered = this.#limiter.enter(key, guesses);
    if (!(entered instanceof Promise)) return this.#reserved(entered, credentials, identify, access);
    return entered.then((answer) => this.#reserved(answer, credentials, identify, access));
  }

  /**
   * One budget per address, and one more for what foreign web pages make a browser there send: a page that guesses
   * must not lock out the owner's own tools on the same machine.
   */
  #key({ address, headers }: Credentials): string {
    const key = limiterKey(address);
    return fromForeignPage(headers, this.#settings()) ? `${key} pages` : key;
  }

  /** Nothing was guessed, so nothing is counted. */
  #withoutSecret(credentials: Credentials, identify: Identify, access: Access): MaybePromise<Identity> {
    const found = this.#builtin(credentials) ?? identify(credentials);
    if (found instanceof Promise) return found.then((identity) => identity ?? nobody(access));
    return found ?? nobody(access);
  }

  async #reserved(
    entered: Reservation | Refusal,
    credentials: Credentials,
    identify: Identify,
    access: Access,
  ): Promise<Identity> {
    if ("retryAfter" in entered) return blocked(entered, access);
    try {
      const identity = this.#builtin(credentials) ?? (await identify(credentials));
      if (identity === undefined) {
        if (!this.#isStale(credentials)) entered.fail();
        return nobody(access);
      }
      return identity;
    } catch (error) {
      // A tap that knows the credential and refuses it (expired, revoked) told the guesser something.
      if (GatewayError.is(error) && (error.status === 401 || error.status === 403)) entered.fail();
      throw error;
    } finally {
      entered.pass();
    }
  }

  /** A browser sends a cookie that is wrong by now with everything a page loads: the same one again is no other guess. */
  #isStale(credentials: Credentials): boolean {
    if (credentials.candidates.some(({ transport }) => transport !== "cookie")) return false;
    const key = this.#key(credentials);
    const marks = credentials.candidates.map(({ digest }) => `${key} ${digest}`);
    const isKnown = marks.every((mark) => this.#stale.has(mark));
    for (const mark of marks) this.#stale.set(mark, true);
    return isKnown;
  }
}

function nobody(access: Access): Identity {
  if (access === "public") return anonymous;
  throw unauthorized();
}

function blocked({ retryAfter }: Refusal, access: Access): Identity {
  if (access === "public") return anonymous;
  const message = `too many wrong credentials from this address; try again in ${retryAfter} s`;
  throw new GatewayError("RATE_LIMITED", 429, message, undefined, { headers: { "retry-after": String(retryAfter) } });
}
