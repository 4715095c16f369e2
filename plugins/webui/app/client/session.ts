/** Who is signed in at this browser. The credential itself lives in an HttpOnly cookie that no script can read. */
import type { Access } from "@chela/sdk/panel";
import { t } from "../i18n/locale.ts";
import { address } from "./address.ts";
import { ApiError, get, post } from "./http.ts";
import { forgetPerson, rememberedHere, rememberHere } from "./storage.ts";

export interface SessionFacts {
  readonly signed_in: boolean;
  readonly identity: { readonly name: string; readonly kind: string; readonly scopes: readonly string[] } | null;
  readonly auth_mode: string;
  /** Null for strangers. */
  readonly version: string | null;
  readonly safe_mode: boolean;
  readonly safe_mode_reason: string;
}

const ranks: Readonly<Record<string, number>> = { public: 0, read: 1, write: 2, admin: 3 };

/** Tells `change` when somebody else is signed in, or nobody. */
export class Session extends EventTarget {
  /** The other tabs of this browser: they have the same cookie. */
  readonly #tabs = new BroadcastChannel(`chela ${address("/").pathname}`);
  #facts: SessionFacts | undefined;
  #isBarred = false;
  #asked = 0;

  constructor() {
    super();
    this.#tabs.onmessage = ({ data }) => {
      if (data === "left") leave();
      else this.refresh().catch(() => undefined);
    };
  }

  get facts(): SessionFacts | undefined {
    return this.#facts;
  }

  get isSignedIn(): boolean {
    return this.#facts?.signed_in === true;
  }

  /** Somebody between here and the gateway, such as a proxy, wants to know who this is. */
  get isBarred(): boolean {
    return this.#isBarred;
  }

  can(access: Access): boolean {
    const best = Math.max(0, ...(this.#facts?.identity?.scopes ?? []).map((scope) => ranks[scope] ?? 0));
    return best >= (ranks[access] ?? 9);
  }

  async refresh(): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    try {
      const facts = await get<SessionFacts>("/api/webui/session", { redirect: "manual" });
      // Who asked later knows better.
      if (asked === this.#asked) this.#set(facts, false);
    } catch (error) {
      if (asked === this.#asked && isBarrier(error)) this.#set(this.#facts, true);
      throw error;
    }
  }

  /** Throws why it is not accepted. */
  async signIn(credential: string): Promise<void> {
    await post("/api/webui/login", { credential }).catch((error: ApiError) => {
      throw error.status === 401 ? new Error(t("login.wrong")) : error;
    });
    await this.refresh();
    if (this.#facts?.signed_in === false) throw new Error(t("login.noCookie"));
    this.#tabs.postMessage("came");
  }

  /** Whoever sits here next finds nothing of what was shown or typed, in no tab of this browser. */
  async signOut(): Promise<void> {
    await post("/api/webui/logout", {});
    this.#tabs.postMessage("left");
    leave();
  }

  #set(facts: SessionFacts | undefined, isBarred: boolean): void {
    const isSame = isBarred === this.#isBarred && JSON.stringify(facts) === JSON.stringify(this.#facts);
    this.#facts = facts;
    this.#isBarred = isBarred;
    if (!isSame) this.dispatchEvent(new Event("change"));
  }
}

export const session = new Session();

/** Everybody may ask who is signed in: a refusal is not the gateway's own. */
function isBarrier(error: unknown): boolean {
  return error instanceof ApiError && (error.code === "FOREIGN" || error.status === 401 || error.status === 403);
}

function leave(): void {
  forgetPerson();
  rememberHere("left", "yes");
  location.replace(address("/"));
}

/** What pages wrote down while they were left. */
export function forgetWhoLeft(): void {
  if (rememberedHere("left") !== undefined) forgetPerson();
}

/**
 * Takes `?token=` (or `#token=`) out of the address before anything else can see it: the address bar, the history and a
 * bookmark then hold no secret. This tab keeps it until `forgetToken`, so that a reload in between loses nothing.
 */
export function takeToken(): string | undefined {
  const url = new URL(location.href);
  const fragment = new URLSearchParams(url.hash.startsWith("#token=") ? url.hash.slice(1) : "");
  const token = url.searchParams.get("token") ?? fragment.get("token");
  if (token === null) return rememberedHere("token");
  rememberHere("token", token);
  url.searchParams.delete("token");
  if (fragment.has("token")) url.hash = "";
  history.replaceState(null, "", url);
  return token;
}

export function forgetToken(): void {
  rememberHere("token", undefined);
}
