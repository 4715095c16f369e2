/**
 * The door to busboy: reads a `multipart/form-data` body into fields and temporary files. Every limit is an error rather
 * than a silent cut, and whatever goes wrong leaves no file behind.
 */
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GatewayError, type UploadedFile } from "@chela/sdk";
import type { Busboy, BusboyConfig, FileInfo } from "busboy";
import { gone, notStored, tooLarge } from "./upload-refusals.ts";

export interface UploadOptions {
  readonly maxFileBytes: number;
  readonly maxFiles: number;
  readonly maxFields: number;
  /** Bytes of one text field. Default 256 KiB. */
  readonly maxFieldBytes?: number;
  /** Longest silence of the client. Default 30 s. */
  readonly stallMs?: number;
  /** Deadline for the whole body. */
  readonly totalMs?: number | undefined;
  /** Called when the declared length is acceptable, before the first byte is waited for. */
  readonly invite?: () => void;
  /** Made when it does not exist. */
  readonly tempDir: string;
  readonly signal: AbortSignal;
}

export interface Upload {
  /** A name that was sent several times holds a list. */
  readonly fields: Readonly<Record<string, string | readonly string[]>>;
  readonly files: readonly UploadedFile[];
  /** Deletes the temporary files that are still where they were. Idempotent. */
  discard(): Promise<void>;
}

/** Boundary and headers of one part, generously. */
const envelopeBytes = 17_000;

/** Resolves when the body was read to its end; throws GatewayErrors of status 400, 408, 413, 499 or 507. */
export async function readUpload(req: IncomingMessage, options: UploadOptions): Promise<Upload> {
  const { default: busboy } = await import("busboy");
  await mkdir(options.tempDir, { recursive: true, mode: 0o700 }).catch((error) => {
    throw notStored(error);
  });
  const reading = new Reading(openParser(busboy, req, options), options);
  options.invite?.();
  try {
    await reading.consume(req);
    return { fields: reading.fields, files: reading.files, discard: () => reading.discard() };
  } catch (error) {
    await reading.discard();
    throw error;
  }
}

function openParser(busboy: (config: BusboyConfig) => Busboy, req: IncomingMessage, options: UploadOptions): Busboy {
  const { maxFileBytes, maxFiles, maxFields, maxFieldBytes = 262_144 } = options;
  const most = maxFiles * maxFileBytes + maxFields * maxFieldBytes + (maxFiles + maxFields + 1) * envelopeBytes;
  if (Number(req.headers["content-length"] ?? 0) > most) throw tooLarge(`more than ${most} bytes in all`);
  // busboy tells of a limit when it is reached, not when it is passed.
  const limits = { fileSize: maxFileBytes + 1, fieldSize: maxFieldBytes + 1, files: maxFiles, fields: maxFields };
  try {
    return busboy({
      headers: req.headers,
      defParamCharset: "utf8",
      limits: { ...limits, parts: maxFiles + maxFields + 2 },
    });
  } catch (error) {
    throw invalid((error as Error).message);
  }
}

/** One body on its way in. The first problem decides; everything after it is ignored. */
class Reading {
  readonly fields: Record<string, string | string[]> = Object.create(null);
  readonly files: UploadedFile[] = [];
  readonly #parser: Busboy;
  readonly #options: UploadOptions;
  readonly #paths: string[] = [];
  readonly #writes: Promise<void>[] = [];
  readonly #over = new AbortController();
  #problem: { readonly error: unknown } | undefined;

  constructor(parser: Busboy, options: UploadOptions) {
    this.#parser = parser;
    this.#options = options;
    parser.on("file", (field, stream, info) => this.#writes.push(this.#file(field, stream, info)));
    parser.on("field", (name, value, info) => {
      if (name.length > 256 || info.valueTruncated) this.#fail(tooLarge("a text field is too long"));
      else this.#field(name, value);
    });
    parser.on("filesLimit", () => this.#fail(tooLarge(`more than ${options.maxFiles} files`)));
    parser.on("fieldsLimit", () => this.#fail(tooLarge(`more than ${options.maxFields} fields`)));
    parser.on("partsLimit", () => this.#fail(tooLarge("too many parts")));
    parser.on("error", (error) => this.#fail(invalid((error as Error).message)));
  }

  async consume(req: IncomingMessage): Promise<void> {
    const { signal, stallMs = 30_000, totalMs } = this.#options;
    const left = () => {
      if (!req.complete) this.#fail(gone());
    };
    const late = (what: string) => this.#fail(new GatewayError("UPLOAD_STALLED", 408, what));
    const stall = setTimeout(late, stallMs, `nothing arrived for ${stallMs} ms`);
    const total =
      totalMs === undefined ? undefined : setTimeout(late, totalMs, `the upload was not complete after ${totalMs} ms`);
    const alive = () => stall.refresh();
    const stopped = () => this.#fail(signal.reason);
    req.on("data", alive);
    req.once("close", left);
    signal.addEventListener("abort", stopped, { once: true });
    try {
      if (signal.aborted) stopped();
      if (req.destroyed) left();
      await this.#parse(req);
      await Promise.all(this.#writes);
    } finally {
      clearTimeout(stall);
      clearTimeout(total);
      req.unpipe(this.#parser);
      req.off("data", alive);
      req.off("close", left);
      signal.removeEventListener("abort", stopped);
      // Whatever still comes is not ours to read.
      req.pause();
    }
    if (this.#problem !== undefined) throw this.#problem.error;
  }

  async discard(): Promise<void> {
    await Promise.allSettled(this.#writes);
    await Promise.all(this.#paths.map((path) => rm(path, { force: true })));
  }

  #parse(req: IncomingMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = () => {
        req.unpipe(this.#parser);
        this.#parser.destroy();
        reject(this.#over.signal.reason);
      };
      this.#parser.once("close", resolve);
      this.#over.signal.addEventListener("abort", failed, { once: true });
      req.pipe(this.#parser);
    });
  }

  /** busboy breaks when its streams are destroyed inside one of its own events: the end comes a moment later. */
  #fail(error: unknown): void {
    if (this.#problem !== undefined) return;
    this.#problem = { error };
    setImmediate(() => this.#over.abort(error));
  }

  #field(name: string, value: string): void {
    const before = this.fields[name];
    if (before === undefined) this.fields[name] = value;
    else if (typeof before === "string") this.fields[name] = [before, value];
    else before.push(value);
  }

  async #file(field: string, stream: Readable, info: FileInfo): Promise<void> {
    const path = join(this.#options.tempDir, randomUUID());
    let size = 0;
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
    });
    stream.once("limit", () => this.#fail(tooLarge(`a file is larger than ${this.#options.maxFileBytes} bytes`)));
    this.#paths.push(path);
    const target = createWriteStream(path, { flags: "wx", mode: 0o600 });
    const closed = new Promise<void>((resolve) => target.once("close", resolve));
    try {
      await pipeline(stream, target, { signal: this.#over.signal });
    } catch (error) {
      this.#fail(notStored(error));
      // A file that is still being opened would appear after it was deleted.
      await closed;
      return;
    }
    // A form sends an empty nameless part for a file input that was left alone.
    if (size > 0 || info.filename)
      this.files.push({ field, name: plainName(info.filename), type: info.mimeType, size, path });
  }
}

/** The last segment, without control characters: never a path. */
function plainName(sent: string | undefined): string {
  const last = (sent ?? "").split(/[\\/]/).at(-1) ?? "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  const name = last.replace(/[\u0000-\u001f\u007f]/g, "").slice(0, 255);
  return name === "" || name === "." || name === ".." ? "file" : name;
}

function invalid(why: string): GatewayError {
  return new GatewayError("UPLOAD_INVALID", 400, `the body is not complete multipart/form-data: ${why}`);
}
