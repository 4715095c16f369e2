/** Whether what was let in under an identity may go on: asked of whatever is still open when a credential may have gone. */
import type { Credentials, Identity } from "@chela/sdk";
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
