/** What is said of a config over HTTP, however it was changed. */
import { type ChangeResult, Reply } from "@chela/sdk";

export function done(result: ChangeResult): Reply {
  return Reply.json({ ok: true, ...result }, { headers: { etag: `"${result.hash}"` } });
}

export function decodePrefix(mode: unknown): string {
  return mode === "normalized" ? "decode normalized config" : "decode config";
}
