/** What a write must pass before it touches the file: nobody else's work is overwritten, nothing unnamed is lost. */
import { GatewayError } from "@chela/sdk";
import { documentOf, type FileState } from "./disk.ts";
import { parseDocument } from "./document.ts";
import type { PlainObject } from "./values.ts";

/** Files smaller than this have no half worth guarding. */
const minGuarded = 128;
/** What is to be written, made from what is on disk while the lock is held. */
export interface Draft {
  /** Null: there was no file and none is needed. */
  readonly text: string | null;
  /** Top-level keys that the writer means to change or drop; `"all"` when it replaces the file on purpose. */
  readonly named: readonly string[] | "all";
  /** Bytes that explicitly named removals take away. */
  readonly removed?: number;
  /** What `text` holds, where it has been parsed already. */
  readonly raw?: Readonly<PlainObject>;
}

export function assertBase(current: FileState, baseHash: string | undefined, path: string): void {
  if (baseHash === undefined || baseHash === current.hash) return;
  throw new GatewayError(
    "CONFIG_CONFLICT",
    409,
    `${path} was changed by somebody else since you read it; read it again and repeat the change`,
    { hash: current.hash, baseHash },
  );
}

export function assertParses(state: FileState, path: string): void {
  try {
    documentOf(state, path);
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    const message = `nothing was written: ${error.message}. Fix the file on disk or roll back (\`chela config rollback\`)`;
    throw new GatewayError(error.code, error.status, message, error.details, { cause: error });
  }
}

/** True when more than half of the bytes would go, other than the `removed` ones. */
export function isHalved(before: string, after: string, removed = 0): boolean {
  const had = Buffer.byteLength(before);
  return had >= minGuarded && Buffer.byteLength(after) + removed < had / 2;
}

/** The writer of a partial view would drop what it does not know; this is where that stops. */
export function assertNothingLost(before: FileState, draft: Draft, path: string): void {
  const { text, named } = draft;
  if (before.text === null || text === null || named === "all") return;
  const now = draft.raw ?? parseDocument(text, path).raw;
  const lost = Object.keys(documentOf(before, path).raw).filter(
    (key) => !Object.hasOwn(now, key) && !named.includes(key),
  );
  const had = Buffer.byteLength(before.text);
  if (lost.length === 0 && !isHalved(before.text, text, draft.removed)) return;
  const what =
    lost.length > 0 ? `would drop ${lost.join(", ")}` : `would shrink it from ${had} to ${text.length} bytes`;
  throw new GatewayError(
    "CONFIG_GUARD",
    409,
    `refused: this write to ${path} ${what}; repeat it with force if you mean it`,
    {
      lost,
      bytes: { before: had, after: Buffer.byteLength(text) },
    },
  );
}
