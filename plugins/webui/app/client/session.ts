/** Who is signed in at this browser. The credential itself lives in an HttpOnly cookie that no script can read. */
import { get, post } from "./http.ts";

export type Access = "public" | "read" | "write" | "admin";

export interface SessionFacts {
  readonly signed_in: boolean;
  readonly identity: {
    readonly id: string;
    readonly name: string;
    readonly kind: string;
    readonly scopes: string[];
  } | null;
  readonly auth_mode: string;
  readonly version: string;
  readonly safe_mode?: boolean;
  readonly safe_mode_reason?: string;
}

const ranks: Readonly<Record<string, number>> = { public: 0, read: 1, write: 2, admin: 3 };

export class Session extends EventTarget {
  #facts: SessionFacts | undefined;

  get facts(): SessionFacts | undefined {
    return this.#facts;
  }

  get isSignedIn(): boolean {
    return this.#facts?.signed_in === true;
  }

  can(access: Access): boolean {
    const best = Math.max(0, ...(this.#facts?.identity?.scopes ?? []).map((scope) => ranks[scope] ?? 0));
    return best >= (ranks[access] ?? 9);
  }

  async refresh(): Promise<void> {
    this.#set(await get<SessionFacts>("/api/webui/session"));
  }

  /** Throws what the gateway answers to a wrong credential. */
  async signIn(credential: string): Promise<void> {
    await post("/api/webui/login", { credential });
    await this.refresh();
  }

  async signOut(): Promise<void> {
    await post("/api/webui/logout", {});
    await this.refresh();
  }

  #set(facts: SessionFacts): void {
    this.#facts = facts;
    this.dispatchEvent(new Event("change"));
  }
}

export const session = new Session();

/**
 * Takes `?token=` (or `#token=`) out of the address before anything else can see it: the address bar, the history and a
 * bookmark then hold no secret.
 */
export function takeToken(): string | undefined {
  const url = new URL(location.href);
  const fragment = new URLSearchParams(url.hash.startsWith("#token=") ? url.hash.slice(1) : "");
  const token = url.searchParams.get("token") ?? fragment.get("token");
  if (token === null) return undefined;
  url.searchParams.delete("token");
  if (fragment.has("token")) url.hash = "";
  history.replaceState(null, "", url);
  return token;
}
