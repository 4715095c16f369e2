import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { GatewayError } from "@chela/sdk";
import { describe, expect, it, onTestFinished } from "vitest";
import { readUpload, type Upload, type UploadOptions } from "../../kernel/http/upload.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { uploadServer } from "./upload-kit.ts";

async function serve(limits: Partial<UploadOptions> = {}) {
  const { signal } = new AbortController();
  const { port, folder, next, left } = await uploadServer((req, tempDir) =>
    readUpload(req, { maxFileBytes: 1000, maxFiles: 2, maxFields: 3, tempDir, signal, ...limits }),
  );
  const post = async (form: FormData) => {
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: form });
    return { status: response.status, text: await response.text(), ...(await next()) };
  };
  return { port, folder, post, next, left };
}

/** An upload that its own test expects to succeed. */
function succeeded({ upload, error }: { upload?: Upload; error?: GatewayError }): Upload {
  if (upload === undefined) throw error ?? new Error("no outcome");
  return upload;
}

function form(parts: Record<string, string | Blob | (string | Blob)[]>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    for (const item of Array.isArray(value) ? value : [value]) data.append(name, item as never);
  }
  return data;
}

/** Opens a chunked multipart request by hand and leaves the rest to the test. */
function half(port: number, body: string): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  const head =
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n";
  socket.write(`${head}${body.length.toString(16)}\r\n${body}\r\n`);
  onTestFinished(() => void socket.destroy());
  return socket;
}

const openPart = '--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhalf of it';

describe("readUpload", () => {
  it("gives fields and files, which only we can read, and deletes them on discard", async () => {
    const server = await serve();
    const file = new File(["hello"], "фото.png", { type: "image/png" });
    const upload = succeeded(await server.post(form({ note: "ünï", tag: ["a", "b"], file })));
    expect({ ...upload.fields }).toEqual({ note: "ünï", tag: ["a", "b"] });
    expect(upload.files).toEqual([
      { field: "file", name: "фото.png", type: "image/png", size: 5, path: expect.stringContaining(server.folder) },
    ]);
    const path = upload.files[0]?.path ?? "";
    expect(readFileSync(path, "utf8")).toBe("hello");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(server.folder).mode & 0o777).toBe(0o700);
    await upload.discard();
    await upload.discard();
    expect(server.left()).toEqual([]);
  });

  it("leaves a file alone that the handler moved away", async () => {
    const server = await serve();
    const upload = succeeded(await server.post(form({ file: new File(["keep"], "a.txt") })));
    const kept = join(server.folder, "../kept.txt");
    renameSync(upload.files[0]?.path ?? "", kept);
    await upload.discard();
    expect(readFileSync(kept, "utf8")).toBe("keep");
  });

  it("takes exactly what the limits allow", async () => {
    const server = await serve();
    const full = new File(["x".repeat(1000)], "a");
    const upload = succeeded(await server.post(form({ files: [full, full], f: ["1", "2", "3"] })));
    expect(upload.files.map(({ size }) => size)).toEqual([1000, 1000]);
    await upload.discard();
  });

  it.each([
    ["a file one byte too large", { f: new File(["x".repeat(1001)], "a") }],
    ["one file too many", { f: [1, 2, 3].map((n) => new File(["x"], `${n}`)) }],
    ["one field too many", { f: ["1", "2", "3", "4"] }],
    ["a field that is too long", { f: "x".repeat(262_145) }],
    ["a field name that is too long", { ["n".repeat(257)]: "x" }],
    ["a body that is too large as declared", { f: new File(["x".repeat(2_000_000)], "a") }],
  ])("refuses %s with 413 and leaves nothing behind", async (_what, parts) => {
    const server = await serve();
    const small = new File(["first"], "small");
    const answer = await server.post(form({ small, ...parts } as never)).catch(() => server.next());
    expect(answer.error).toMatchObject({ code: "UPLOAD_TOO_LARGE", status: 413 });
    expect(server.left()).toEqual([]);
  });

  it.each([
    ['filename="../../etc/passwd"', "passwd"],
    ['filename="/etc/passwd"', "passwd"],
    ['filename="C:\\\\fakepath\\\\photo.png"', "photo.png"],
    ['filename=".."', "file"],
    ["filename*=utf-8''%2e%2e%2f%2e%2e%2fa.txt", "a.txt"],
    ["filename*=utf-8''a%00b%0d%0a%1b%5B31m.txt", "ab[31m.txt"],
    [`filename="${"x".repeat(300)}"`, "x".repeat(255)],
  ])("reduces the file name of %s to a plain one", async (parameter, name) => {
    const server = await serve();
    const body = `--b\r\nContent-Disposition: form-data; name="f"; ${parameter}\r\n\r\nx\r\n--b--\r\n`;
    half(server.port, body).write("0\r\n\r\n");
    const upload = succeeded(await server.next());
    expect(upload.files.map((file) => file.name)).toEqual([name]);
    await upload.discard();
  });

  it("skips the empty part that a form sends for an unused file input", async () => {
    const server = await serve();
    const upload = succeeded(await server.post(form({ f: new File([], "") })));
    expect(upload.files).toEqual([]);
    await upload.discard();
    expect(server.left()).toEqual([]);
  });

  it("refuses a body that ends too early, is no multipart or names no boundary", async () => {
    const server = await serve();
    half(server.port, openPart).write("0\r\n\r\n");
    expect((await server.next()).error).toMatchObject({ code: "UPLOAD_INVALID", status: 400 });
    for (const type of ["multipart/form-data", "text/plain", "multipart/form-data; boundary="]) {
      const req = request({ port: server.port, method: "POST", headers: { "content-type": type } });
      req.on("error", () => undefined).end("nonsense");
      expect((await server.next()).error, type).toMatchObject({ code: "UPLOAD_INVALID", status: 400 });
    }
    expect(server.left()).toEqual([]);
  });

  it("notices a client that leaves and one that stalls, and cleans up", async () => {
    const server = await serve({ stallMs: 100 });
    const leaver = half(server.port, openPart);
    await until(() => server.left().length === 1);
    leaver.destroy();
    expect((await server.next()).error).toMatchObject({ code: "CLIENT_GONE" });
    half(server.port, openPart);
    expect((await server.next()).error).toMatchObject({ code: "UPLOAD_STALLED", status: 408 });
    expect(server.left()).toEqual([]);
  });

  it("stops with its signal, before and in the middle", async () => {
    const stop = new AbortController();
    const server = await serve({ signal: stop.signal });
    half(server.port, openPart);
    await until(() => server.left().length === 1);
    stop.abort(new GatewayError("PLUGIN_STOPPED", 503, "stopped"));
    expect((await server.next()).error).toMatchObject({ code: "PLUGIN_STOPPED" });
    half(server.port, openPart);
    expect((await server.next()).error).toMatchObject({ code: "PLUGIN_STOPPED" });
    expect(server.left()).toEqual([]);
  });

  it("says so when the file cannot be stored", async () => {
    const blocker = join(tempDir(), "file");
    writeFileSync(blocker, "not a folder");
    const server = await serve({ tempDir: blocker });
    const answer = await server.post(form({ f: new File(["x"], "a") }));
    expect(answer.error).toMatchObject({ code: "UPLOAD_STORE", status: 507 });
  });

  it("keeps the names of fields harmless", async () => {
    const server = await serve();
    const upload = succeeded(await server.post(form({ ["__proto__"]: "x", constructor: "y" })));
    expect(Object.getPrototypeOf(upload.fields)).toBe(null);
    expect(Object.keys(upload.fields).sort()).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    await upload.discard();
  });
});
