/** The type of a file by its first bytes where they show it, else by its name. What a client claims is not asked. */
import { isUtf8 } from "node:buffer";
import { extname } from "node:path";

/** How many bytes are looked at. */
export const headBytes = 4_100;

const octets = "application/octet-stream";

/** First bytes (`.` for any) → type. */
const signatures: readonly (readonly [string, string])[] = [
  ["\x89PNG\r\n\x1a\n", "image/png"],
  ["\xff\xd8\xff", "image/jpeg"],
  ["GIF87a", "image/gif"],
  ["GIF89a", "image/gif"],
  ["RIFF....WEBP", "image/webp"],
  ["RIFF....WAVE", "audio/wav"],
  ["....ftypavif", "image/avif"],
  ["....ftyphei", "image/heic"],
  ["....ftypM4A", "audio/mp4"],
  ["....ftypqt", "video/quicktime"],
  ["....ftyp", "video/mp4"],
  ["\x1aE\xdf\xa3", "video/webm"],
  ["OggS", "audio/ogg"],
  ["fLaC", "audio/flac"],
  ["ID3", "audio/mpeg"],
  ["\xff\xfb", "audio/mpeg"],
  ["\xff\xf3", "audio/mpeg"],
  ["%PDF-", "application/pdf"],
  ["PK\x03\x04", "application/zip"],
  ["PK\x05\x06", "application/zip"],
  ["\x1f\x8b", "application/gzip"],
  ["7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"],
  ["BM....\0\0\0\0", "image/bmp"],
  ["II*\0", "image/tiff"],
  ["MM\0*", "image/tiff"],
  ["SQLite format 3\0", "application/vnd.sqlite3"],
];

/** Containers whose contents only the name tells. */
const zipped: Readonly<Record<string, string>> = {
  ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  ".odt": "application/vnd.oasis.opendocument.text",
  ".epub": "application/epub+zip",
};

const texts: Readonly<Record<string, string>> = {
  ".md": "text/markdown",
  ".markdown": "text/markdown",
  ".csv": "text/csv",
  ".html": "text/html",
  ".htm": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".jsonl": "application/jsonl",
  ".xml": "application/xml",
  ".svg": "image/svg+xml",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".toml": "application/toml",
};

export function fileType(head: Buffer, name: string): string {
  const start = head.subarray(0, 64).toString("latin1");
  const extension = extname(name).toLowerCase();
  const found = signatures.find(([signature]) => matches(start, signature))?.[1];
  if (found === "application/zip") return zipped[extension] ?? found;
  if (found !== undefined) return found;
  if (head.subarray(257, 262).toString("latin1") === "ustar") return "application/x-tar";
  if (!isText(head)) return octets;
  return texts[extension] ?? "text/plain";
}

function matches(start: string, signature: string): boolean {
  if (start.length < signature.length) return false;
  for (let i = 0; i < signature.length; i += 1) if (signature[i] !== "." && signature[i] !== start[i]) return false;
  return true;
}

/** The last character may be cut in two. */
function isText(head: Buffer): boolean {
  if (head.includes(0)) return false;
  if (head.length < headBytes) return isUtf8(head);
  return [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, head.length - cut)));
}
