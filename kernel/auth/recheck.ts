/** Whether what was let in under an identity may go on: asked of whatever is still open when a credential may have gone. */
import { type Credentials, GatewayError, type Identity } from "@chela/sdk";
import type { Generation } from "../host/compose.ts";
import type { Gate } from "./gate.ts";

/** Something open, and under which credential. */
export interface Held {
  readonly identity: Identity;
  readonly credentials: Credentials;
}

/** The same one with the same rights, asked anew. */
export async function stillHolds(
  { identity, credentials }: Held,
  gate: Gate,
  generation: Generation,
): Promise<boolean> {
  if (identity.kind === "anonymous") return true;
  const now = await gate.recheck(credentials, generation).catch(() => undefined);
  return now?.id === identity.id && identity.scopes.every((scope) => now.scopes.includes(scope));
}

/** How many of these do not hold any more; each one's end is told at once, however long the others take. */
export async function recheckAll<T extends Held>(
  open: readonly T[],
  holds: (held: Held) => Promise<boolean>,
  end: (held: T) => boolean,
): Promise<number> {
  const ended = await Promise.all(open.map(async (held) => !(await holds(held)) && end(held)));
  return ended.filter((isEnded) => isEnded).length;
}

/** Those who were let in and are on their way: a recheck does not see them, so they have to look for it. */
export class Rechecks {
  #count = 0;

  /** To be noted before somebody is let in. */
  get count(): number {
    return this.#count;
  }

  begin(): void {
    this.#count += 1;
  }

  /** Throws `UNAUTHORIZED` 401 when there was a recheck since `noted` and this credential has gone. */
  async assert(noted: number, held: Held, gate: Gate, current: () => Generation): Promise<void> {
    for (let seen = noted; seen !== this.#count; ) {
      seen = this.#count;
      if (!(await stillHolds(held, gate, current())))
        throw new GatewayError("UNAUTHORIZED", 401, "credential replaced");
    }
  }
}
