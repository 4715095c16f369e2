/** A body that is one file: what arrives whole, what is refused, and that nothing is left behind. */

import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { definePlugin } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import { readRawUpload } from "../../kernel/http/raw-upload.ts";
import type { UploadOptions } from "../../kernel/http/upload.ts";
import { until } from "../kit/until.ts";
import { uploadServer } from "./upload-kit.ts";

function server(limits: Partial<UploadOptions> = {}) {
  const { signal } = new AbortController();
  return uploadServer((req, tempDir) =>
    readRawUpload(req, { maxFileBytes: 1_000, maxFiles: 1, maxFields: 0, tempDir, signal, ...limits }),
  );
}

/** A chunked request by hand; the rest is left to the test. */
function half(port: number, body: string): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
  socket.write(`${head}${body.length.toString(16)}\r\n${body}\r\n`);
  return socket;
}

const post = async (port: number, body: string | Uint8Array) => {
  const answer = await fetch(`http://127.0.0.1:${port}/`, {
    method: "POST",
    body: body as never,
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
  return `${answer.status} ${await answer.text()}`;
};

it("arrives byte for byte, readable by its owner alone, and goes when it is discarded", async () => {
  const { port, next, left } = await server();
  const bytes = Uint8Array.from({ length: 999 }, (_, n) => n % 256);
  expect(await post(port, bytes)).toBe("200 ok");
  const outcome = await next();
  if (!outcome.upload) throw outcome.error;
  const [file] = outcome.upload.files;
  expect(file).toMatchObject({ field: "body", name: "body", type: "text/plain", size: 999 });
  expect(readFileSync(file?.path as string)).toEqual(Buffer.from(bytes));
  await outcome.upload.discard();
  expect(left()).toEqual([]);
});

it("is refused when it is too large, by its declared length and by the byte", async () => {
  const { port, next, left } = await server();
  expect(await post(port, "x".repeat(1_001))).toBe("413 UPLOAD_TOO_LARGE");
  await next();
  half(port, "x".repeat(1_001));
  expect(await next()).toMatchObject({ error: { code: "UPLOAD_TOO_LARGE", status: 413 } });
  expect(left()).toEqual([]);
});

it("that stops halfway is given up, and one whose client leaves too", async () => {
  const { port, next, left } = await server({ stallMs: 50 });
  half(port, "half");
  expect(await next()).toMatchObject({ error: { code: "UPLOAD_STALLED", status: 408 } });
  const patient = await server();
  const socket = half(patient.port, "half");
  await until(() => patient.left().length === 1, 5_000, "the file");
  socket.destroy();
  expect(await patient.next()).toMatchObject({ error: { code: "CLIENT_GONE", status: 499 } });
  await until(() => patient.left().length === 0, 5_000, "the clean-up");
  expect(left()).toEqual([]);
});

it("reaches a route that wants it; JSON, forms and other routes stay what they were", async () => {
  const seen: unknown[] = [];
  const upload = { maxFileBytes: 1_000, maxFiles: 2 };
  const routes = definePlugin({
    id: "routes",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) => {
      for (const raw of [true, false]) {
        ctx.route({
          method: "POST",
          path: raw ? "/raw" : "/form",
          access: "write",
          upload: { ...upload, raw },
          handler: ({ body, files }) => {
            seen.push({
              body,
              files: files.map(({ field, size, path }) => ({ field, size, text: readFileSync(path, "utf8") })),
            });
            return { ok: true };
          },
        });
      }
    },
  });
  const host = await startHost({ plugins: [routes], port: 0 });
  onTestFinished(() => host.stop());
  const send = async (path: string, body: string | FormData, type?: string) => {
    const headers = { authorization: `Bearer ${host.token}`, ...(type !== undefined && { "content-type": type }) };
    return (await fetch(`${host.url}${path}`, { method: "POST", body, headers })).status;
  };
  expect(await send("/raw", "a\nb\n", "application/x-ndjson")).toBe(200);
  expect(seen.pop()).toEqual({ body: {}, files: [{ field: "body", size: 4, text: "a\nb\n" }] });
  expect(await send("/raw", '{"a":1}', "application/json; charset=utf-8")).toBe(200);
  expect(seen.pop()).toEqual({ body: { a: 1 }, files: [] });
  const form = new FormData();
  form.append("file", new File(["xyz"], "x.txt"));
  form.append("k", "v");
  expect(await send("/raw", form)).toBe(200);
  expect(seen.pop()).toEqual({ body: { k: "v" }, files: [{ field: "file", size: 3, text: "xyz" }] });
  expect(await send("/raw", "x".repeat(1_001), "text/plain")).toBe(413);
  expect(await send("/form", "a\nb\n", "application/x-ndjson")).toBe(400);
});
