/**
 * Pictures, sounds and other bytes of an answer, kept as uploads and named as `[file: PATH]`: so a model that looks at pictures
 * sees them. A server is not trusted: what it says of its bytes is checked, and how much of it is kept is bounded. What is not
 * kept is described.
 */
import { messageOf, type Workspace } from "@chela/sdk";
import { localName } from "./names.ts";
import { plainLine } from "./plain.ts";
import type { Blob, TellBlob } from "./result.ts";

/** Of one answer. */
const maxFiles = 8;
/** Of one server within an hour: uploads have one quota, and people need it, too. */
const hourly = { files: 300, bytes: 256 * 1024 * 1024 };
const hourMs = 3_600_000;

/** By these the type of what is no picture, sound or archive is told; the others show it by their first bytes. */
const endings: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
  "image/svg+xml": "svg",
  "audio/wav": "wav",
  "audio/mpeg": "mp3",
  "audio/ogg": "ogg",
  "video/mp4": "mp4",
  "application/pdf": "pdf",
  "application/zip": "zip",
  "application/gzip": "gz",
  "application/json": "json",
  "application/xml": "xml",
  "text/csv": "csv",
  "text/css": "css",
  "text/html": "html",
  "text/javascript": "js",
  "text/markdown": "md",
  "text/plain": "txt",
};

/** Other words for the same. */
const aliases: Readonly<Record<string, string>> = {
  "image/jpg": "image/jpeg",
  "audio/x-wav": "audio/wav",
  "audio/mp3": "audio/mpeg",
  "application/x-gzip": "application/gzip",
};

interface Spent {
  readonly since: number;
  files: number;
  bytes: number;
}

export class BlobKeeper {
  readonly #workspace: () => Workspace | undefined;
  readonly #spent = new Map<string, Spent>();

  constructor(workspace: () => Workspace | undefined) {
    this.#workspace = workspace;
  }

  /** For one answer of a server; `what` it is an answer to gives files their names. */
  answer(server: string, what: string): TellBlob {
    let files = 0;
    return async (blob) => {
      const about = `${blob.type || "unknown type"}, ${sizeOf(blob)} bytes`;
      const workspace = this.#workspace();
      if (!workspace || blob.base64 === "") return `[${blob.kind}: ${about}]`;
      files += 1;
      try {
        if (files > maxFiles) throw new Error(`an answer has more than ${maxFiles} of them`);
        const bytes = decoded(blob.base64);
        this.#spend(server, bytes.length);
        const kept = await workspace.keep(nameOf(localName(server, what), blob), bytes);
        return `[file: ${kept.path}] (${typeTold(blob.type, kept.type)}, ${kept.size} bytes)`;
      } catch (error) {
        return `[${blob.kind}: ${about}; not kept: ${plainLine(messageOf(error), 300)}]`;
      }
    };
  }

  #spend(server: string, bytes: number): void {
    const now = Date.now();
    const before = this.#spent.get(server);
    const spent = before && now - before.since < hourMs ? before : { since: now, files: 0, bytes: 0 };
    if (spent.files + 1 > hourly.files || spent.bytes + bytes > hourly.bytes)
      throw new Error(`the server gave ${spent.files} files with ${spent.bytes} bytes within an hour`);
    spent.files += 1;
    spent.bytes += bytes;
    this.#spent.set(server, spent);
  }
}

/** Node's own decoder passes over what is no base64. */
function decoded(base64: string): Buffer {
  const text = base64.replaceAll(/\s+/g, "");
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text) || text.replace(/=+$/, "").length % 4 === 1)
    throw new Error("its base64 is wrong");
  return Buffer.from(text, "base64");
}

function sizeOf({ base64 }: Blob): number {
  return Math.floor((base64.length * 3) / 4);
}

function nameOf(place: string, { type, name }: Blob): string {
  if (/\.[a-zA-Z0-9]{1,8}$/.test(name)) return name;
  const ending = endings[essence(type)];
  return ending ? `${place}.${ending}` : place;
}

/** What the server says, unless the content says something else. */
function typeTold(said: string, found: string): string {
  if (said === "" || essence(said) === found) return found;
  return `said to be ${said}, is ${found}`;
}

function essence(type: string): string {
  const plain = (type.split(";")[0] as string).trim().toLowerCase();
  return Object.hasOwn(aliases, plain) ? (aliases[plain] as string) : plain;
}
