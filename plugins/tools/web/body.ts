/** The body of a reply: as much as is wanted and no more, then as text in the encoding that it says or shows. */
import type { Pace } from "@chela/sdk";
import { decodedBy } from "../decode.ts";

export interface Bytes {
  readonly bytes: Buffer;
  /** There was more. */
  readonly cut: boolean;
}

export async function readUpTo(response: Response, maxBytes: number): Promise<Bytes> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let cut = false; reader; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.byteLength;
    cut = size > maxBytes;
    if (!cut) continue;
    await reader.cancel().catch(() => undefined);
    return { bytes: Buffer.concat(parts).subarray(0, maxBytes), cut };
  }
  return { bytes: Buffer.concat(parts), cut: false };
}

/** A byte order mark first, then `contentType`, then what an HTML page says of itself; else UTF-8. */
export function decodeText(bytes: Buffer, contentType: string, pace: Pace): Promise<string> {
  const label = bomOf(bytes) ?? charsetIn(contentType) ?? charsetInHead(bytes, contentType) ?? "utf-8";
  return decodedBy(decoderOf(label), bytes, pace);
}

function decoderOf(label: string) {
  try {
    return new TextDecoder(label);
  } catch {
    // A label that nobody knows.
    return new TextDecoder("utf-8");
  }
}

function bomOf(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return "utf-8";
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : undefined;
}

function charsetIn(contentType: string): string | undefined {
  return /charset\s{0,3}=\s{0,3}["']?([a-z0-9_:.-]{1,40})/i.exec(contentType)?.[1];
}

function charsetInHead(bytes: Buffer, contentType: string): string | undefined {
  if (!/html|xml/i.test(contentType)) return undefined;
  const head = bytes.toString("latin1", 0, 4096);
  return (
    /<meta[^>]{0,300}charset\s{0,3}=\s{0,3}["']?([a-z0-9_:.-]{1,40})/i.exec(head)?.[1] ??
    /^<\?xml[^>]{0,200}encoding\s{0,3}=\s{0,3}["']([a-z0-9_:.-]{1,40})/i.exec(head)?.[1]
  );
}
