/** A body that is one file and nothing else: written to a temporary file as it comes, within the limits of an upload. */
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { GatewayError } from "@chela/sdk";
import type { Upload, UploadOptions } from "./upload.ts";
import { gone, notStored, tooLarge } from "./upload-refusals.ts";

/** The file's field is `body`. Throws GatewayErrors of status 408, 413, 499 or 507. */
export async function readRawUpload(req: IncomingMessage, options: UploadOptions): Promise<Upload> {
  const { maxFileBytes, tempDir, invite } = options;
  if (Number(req.headers["content-length"] ?? 0) > maxFileBytes)
    throw tooLarge(`it is larger than ${maxFileBytes} bytes`);
  const path = join(tempDir, randomUUID());
  const discard = () => rm(path, { force: true });
  try {
    await mkdir(tempDir, { recursive: true, mode: 0o700 });
    invite?.();
    const size = await write(req, path, options);
    const type = String(req.headers["content-type"] ?? "application/octet-stream").split(";")[0] as string;
    return { fields: {}, files: [{ field: "body", name: "body", type: type.trim(), size, path }], discard };
  } catch (error) {
    await discard();
    throw GatewayError.is(error) ? error : notStored(error);
  }
}

/** Resolves with the size. The request is neither destroyed nor read to its end: whoever is refused gets to read why. */
function write(req: IncomingMessage, path: string, options: UploadOptions): Promise<number> {
  const { maxFileBytes, stallMs = 30_000, totalMs, signal } = options;
  const out = createWriteStream(path, { flags: "wx", mode: 0o600 });
  return new Promise((resolve, reject) => {
    let size = 0;
    const settle = (error: unknown) => {
      clearTimeout(stall);
      clearTimeout(total);
      req.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      signal.removeEventListener("abort", onStop);
      req.pause();
      if (error === undefined) return out.end(() => resolve(size));
      out.once("close", () => reject(error));
      return out.destroy();
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxFileBytes) return void settle(tooLarge(`it is larger than ${maxFileBytes} bytes`));
      stall.refresh();
      if (!out.write(chunk)) req.pause();
    };
    const onEnd = () => settle(undefined);
    const onGone = () => settle(gone());
    const onStop = () => settle(signal.reason);
    const late = (what: string) => settle(new GatewayError("UPLOAD_STALLED", 408, what));
    const stall = setTimeout(late, stallMs, `nothing arrived for ${stallMs} ms`);
    const total =
      totalMs === undefined ? undefined : setTimeout(late, totalMs, `the upload was not complete after ${totalMs} ms`);
    out.on("drain", () => req.resume());
    out.on("error", settle);
    signal.addEventListener("abort", onStop, { once: true });
    req.on("data", onData).once("end", onEnd).once("error", onGone).once("close", onGone);
    if (signal.aborted) onStop();
    else if (req.destroyed) onGone();
  });
}
