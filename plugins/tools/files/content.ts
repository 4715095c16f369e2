/** What the bytes of a file are: text with its encoding and line ends, an image with its size, or something else. Pure. */
import { isUtf8 } from "node:buffer";
import type { Pace } from "@chela/sdk";
import { decodedBy } from "../decode.ts";

export type Content =
  /** What is no UTF-8 cannot be written back as it was read. */
  | { readonly kind: "text"; readonly text: string; readonly bom: boolean; readonly utf8: boolean }
  | { readonly kind: "image"; readonly type: string; readonly width: number; readonly height: number }
  | { readonly kind: "binary"; readonly type: string };

const signatures: readonly (readonly [type: string, hex: string])[] = [
  ["application/pdf", "25504446"],
  ["application/zip", "504b0304"],
  ["application/gzip", "1f8b"],
  ["application/x-executable", "7f454c46"],
  ["application/vnd.sqlite3", "53514c69746520666f726d6174"],
  ["audio/mpeg", "494433"],
  ["video/mp4", "0000002066747970"],
];

export async function contentOf(bytes: Buffer, pace: Pace): Promise<Content> {
  const image = imageOf(bytes);
  if (image) return { kind: "image", ...image };
  if (isUtf16(bytes)) {
    const text = await decodedBy(new TextDecoder("utf-16le"), bytes, pace);
    return { kind: "text", text, bom: true, utf8: false };
  }
  if (bytes.subarray(0, 8192).includes(0) || !isUtf8(bytes)) return { kind: "binary", type: signatureOf(bytes) };
  const text = await decodedBy(new TextDecoder("utf-8", { ignoreBOM: true }), bytes, pace);
  const bom = text.startsWith("\ufeff");
  return { kind: "text", text: bom ? text.slice(1) : text, bom, utf8: true };
}

function isUtf16(bytes: Buffer): boolean {
  return bytes.length >= 2 && bytes.readUInt16LE(0) === 0xfeff;
}

function signatureOf(bytes: Buffer): string {
  const head = bytes.subarray(0, 16).toString("hex");
  return signatures.find(([, start]) => head.startsWith(start))?.[0] ?? "application/octet-stream";
}

function imageOf(bytes: Buffer): { type: string; width: number; height: number } | undefined {
  if (bytes.length < 24) return undefined;
  const head = bytes.toString("latin1", 0, 16);
  if (head.startsWith("\x89PNG\r\n\x1a\n"))
    return { type: "image/png", width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (/^GIF8[79]a/.test(head))
    return { type: "image/gif", width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") return { type: "image/webp", ...webpSize(bytes) };
  if (head.startsWith("\xff\xd8\xff")) return { type: "image/jpeg", ...jpegSize(bytes) };
  return undefined;
}

function webpSize(bytes: Buffer): { width: number; height: number } {
  if (bytes.length >= 30 && bytes.toString("latin1", 12, 16) === "VP8X")
    return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (bytes.length >= 30 && bytes.toString("latin1", 12, 16) === "VP8 ")
    return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  return { width: 0, height: 0 };
}

/** Walks the segments up to the one that holds the frame's size. */
function jpegSize(bytes: Buffer): { width: number; height: number } {
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] as number;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return { width: 0, height: 0 };
}
