/** What the name of a transcript says: whose session it is and which part of it. A name is only ever read, never opened. */

export interface TranscriptName {
  readonly key: string;
  /** Order among the files of a session: the old single file, archived parts by number, the one in use. */
  readonly part: number;
}

/** Undefined for files that are no transcripts: sidecars, locks, backups. `keys` maps a session's id to its key. */
export function transcriptName(file: string, keys: Readonly<Record<string, string>> = {}): TranscriptName | undefined {
  const match = /^(.+?)(?:\.(active|\d{4,6}))?\.jsonl$/.exec(file);
  if (!match?.[1]) return undefined;
  const [, stem, part] = match;
  const key = (Object.hasOwn(keys, stem) ? keys[stem] : undefined) ?? decoded(stem);
  if (part === undefined) return { key, part: 0 };
  return { key, part: part === "active" ? Number.MAX_SAFE_INTEGER : Number(part) };
}

/** From `sessions.json`: `{key: {sessionId, …}}`. */
export function keysById(index: unknown): Record<string, string> {
  const keys: Record<string, string> = Object.create(null);
  if (typeof index !== "object" || index === null) return keys;
  for (const [key, entry] of Object.entries(index as Record<string, unknown>)) {
    const id = (entry as { sessionId?: unknown } | null)?.sessionId;
    if (typeof id === "string" && id !== "") keys[id] = key;
  }
  return keys;
}

function decoded(stem: string): string {
  try {
    return decodeURIComponent(stem);
  } catch {
    return stem;
  }
}
