/** A session as a transcript, page by page: however long it is, a page is all that is in memory. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { GatewayError } from "@chela/sdk";
import type { Room } from "../message-page.ts";
import { sessionUnknown } from "../session-rows.ts";
import type { SessionTable } from "../session-table.ts";
import { encodeLine, encodeMarkdown } from "./encode.ts";

const pageRoom = { messages: 200, chars: 1_000_000 };
export const formats = ["jsonl", "markdown"] as const;
export type Format = (typeof formats)[number];

export function exportFormat(text: string | undefined): Format {
  const known = formats.find((format) => format === (text || "jsonl").trim().toLowerCase());
  if (known) return known;
  throw new GatewayError("INVALID", 400, `format must be jsonl or markdown, not ${JSON.stringify(text?.slice(0, 40))}`);
}

/** Ends where the session ended when it began; what is said meanwhile is not part of it. Throws `SESSION_UNKNOWN` 404. */
export async function exportSession(table: SessionTable, key: string, format: Format): Promise<AsyncIterable<string>> {
  const first = await exportPage(table, key, { format, after: 0, room: pageRoom });
  const { messages: last = 0 } = (await table.info(key)) ?? {};
  const pages = async function* (): AsyncIterable<string> {
    for (let page = first; ; ) {
      if (page.text !== "") yield page.text;
      if (page.next === null || page.next >= last) return;
      // A client that reads as fast as we write leaves no other moment for others.
      await nextTurn();
      page = await exportPage(table, key, { format, after: page.next, room: pageRoom });
    }
  };
  return pages();
}

/** `next`: the `after` of the next page, null at the end. Throws `SESSION_UNKNOWN` 404. */
export async function exportPage(
  table: SessionTable,
  key: string,
  { format, after, room }: { format: Format; after: number; room: Room },
): Promise<{ text: string; next: number | null }> {
  const page = await table.page(key, after, room);
  const head = after === 0 || page.length === 0 ? await headOf(table, key, format) : "";
  const encode = format === "markdown" ? encodeMarkdown : encodeLine;
  const text = page.map(encode).join("");
  return { text: after === 0 ? head + text : text, next: page.at(-1)?.seq ?? null };
}

async function headOf(table: SessionTable, key: string, format: Format): Promise<string> {
  const info = await table.info(key);
  if (!info) throw sessionUnknown(key);
  return format === "markdown" ? `# ${(info.title || key).replaceAll(/\s+/g, " ")}\n\n` : "";
}

/** A name for the file of a download, without anything that a file system or a header minds. */
export function exportName(key: string, format: Format): string {
  const stem = encodeURIComponent(key)
    .replaceAll("%3A", "_")
    .replaceAll(/[^A-Za-z0-9._-]/g, "_")
    .slice(0, 120);
  return `${stem}.${format === "markdown" ? "md" : "jsonl"}`;
}
