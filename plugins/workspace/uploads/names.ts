/** Ids and names of uploads. A name stays readable and is harmless in a path, in a message and in a header. */
import { randomBytes } from "node:crypto";

const idPattern = /^[0-9a-f]{32}$/;
/** With an id and folders before it, a name fits every file system. */
const mostBytes = 180;

export function newId(): string {
  return randomBytes(16).toString("hex");
}

export function isId(text: string): boolean {
  return idPattern.test(text);
}

/** Brackets would end a `[file: …]`; the rest is refused by some file system, or misread by some reader. */
export function safeFileName(sent: string): string {
  const last = sent.normalize("NFC").split(/[\\/]/).at(-1) ?? "";
  const plain = withoutEnds(last.replace(/[\p{C}<>:"|?*[\]\\/]/gu, "_").replace(/\s+/gu, " "));
  const named = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(plain) ? `_${plain}` : plain;
  return shortened(named) || "file";
}

/** No dot and no white space at either end; by hand, since a pattern for the end would try it at every dot. */
function withoutEnds(name: string): string {
  const chars = [...name];
  const counts = (char: string) => char !== "." && char.trim() !== "";
  const from = chars.findIndex(counts);
  return from < 0 ? "" : chars.slice(from, chars.findLastIndex(counts) + 1).join("");
}

/** Keeps the extension. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= mostBytes) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : "";
  let [stem, left] = ["", mostBytes - Buffer.byteLength(extension)];
  for (const char of name) {
    left -= Buffer.byteLength(char);
    if (left < 0) break;
    stem += char;
  }
  return stem.trimEnd() + extension;
}

/** RFC 6266: an ASCII name for old clients, the real one for all others. */
export function attachmentHeader(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/g, "_").replace(/["\\%]/g, "_");
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
