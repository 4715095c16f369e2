import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { GatewayError } from "@chela/sdk";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ServeOptions, staticHandler } from "../../kernel/http/static.ts";
import { tempDir, writeTree } from "../kit/temp.ts";

interface Got {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** Serves a folder the way the dispatcher does; the path goes out as it is written, unnormalised. */
async function serve(folder: string, options: ServeOptions = {}, own: Record<string, string> = {}) {
  const handler = await staticHandler(folder, options);
  const server = createServer((req, res) => {
    handler(req, res, req.url ?? "/", { "x-request-id": "r1", ...own }).then(
      (found) => found || res.writeHead(404).end(),
      (error) => res.writeHead(GatewayError.is(error) ? error.status : 500).end(String(error.message)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as AddressInfo;
  return (path: string, headers: Record<string, string> = {}, method = "GET") =>
    new Promise<Got>((resolve, reject) => {
      const req = request({ port, host: "127.0.0.1", path, headers, method }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("error", reject);
        res.on("end", () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() }),
        );
      });
      req.on("error", reject);
      req.end();
    });
}

function site(): string {
  const folder = join(tempDir(), "site");
  writeTree(folder, {
    "index.html": "<p>home</p>",
    "app.js": "0123456789",
    "data.unknown-kind": "?",
    "one.txt": "x",
    "empty.txt": "",
    "docs/index.html": "<p>docs</p>",
    "a b ü 100%.txt": "odd name",
    ".env": "SECRET=1",
    "docs/.git/config": "secret",
  });
  return folder;
}

describe("staticHandler", () => {
  it("serves files with their type, nosniff, an ETag and the caller's headers", async () => {
    const get = await serve(site());
    const page = await get("/app.js");
    expect([page.status, page.body]).toEqual([200, "0123456789"]);
    expect(page.headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
      "content-length": "10",
      "x-request-id": "r1",
    });
    expect((await get("/app.js", { "if-none-match": String(page.headers.etag) })).status).toBe(304);
    expect((await get("/data.unknown-kind")).headers["content-type"]).toBe("application/octet-stream");
    expect(await get("/empty.txt")).toMatchObject({ status: 200, body: "" });
    expect(await get("/app.js", {}, "HEAD")).toMatchObject({ status: 200, body: "" });
    expect((await get("/a%20b%20%C3%BC%20100%25.txt")).body).toBe("odd name");
  });

  it("answers a folder with its index and never with a list", async () => {
    const get = await serve(site());
    expect((await get("/")).body).toBe("<p>home</p>");
    expect((await get("/docs/")).body).toBe("<p>docs</p>");
    expect((await get("/docs")).status).toBe(404);
    expect((await get("/docs/.git/")).status).toBe(404);
  });

  it.each([
    ["/.env"],
    ["/docs/.git/config"],
    ["/../site/app.js"],
    ["/%2e%2e/site/app.js"],
    ["/..%2fsecret.txt"],
    ["/..%5csecret.txt"],
    ["//etc/passwd"],
    ["/%2fetc/passwd"],
    ["/app.js%00.txt"],
    ["/app.js/"],
    ["/%E0%A4%A"],
    ["/constructor"],
    ["/__proto__"],
    ["/APP.JS"],
  ])("%s does not exist", async (path) => {
    const folder = site();
    writeFileSync(join(folder, "../secret.txt"), "secret");
    const got = await (await serve(folder))(path);
    expect([got.status, got.body]).toEqual([404, ""]);
  });

  it.each([
    ["bytes=2-4", 206, "234", "bytes 2-4/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-30", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=8-99", 206, "89", "bytes 8-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=0-0", 200, "0123456789", undefined],
    ["bytes=5-2", 200, "0123456789", undefined],
    ["bytes=0-1,3-4", 200, "0123456789", undefined],
    ["bytes=-", 200, "0123456789", undefined],
    ["bytes=1e1-", 200, "0123456789", undefined],
    ["lines=1-2", 200, "0123456789", undefined],
  ])("range %s gives %i", async (range, status, body, contentRange) => {
    const got = await (await serve(site()))("/app.js", { range });
    expect([got.status, got.body, got.headers["content-range"]]).toEqual([status, body, contentRange]);
  });

  it("ignores a range that hangs on If-Range", async () => {
    const got = await (await serve(site()))("/app.js", { range: "bytes=2-4", "if-range": '"other"' });
    expect([got.status, got.body]).toEqual([200, "0123456789"]);
  });

  it("refuses other methods", async () => {
    expect((await (await serve(site()))("/app.js", {}, "POST")).status).toBe(405);
  });

  it("says what happened to a file that was deleted, changed, added or replaced by a link", async () => {
    const folder = site();
    writeFileSync(join(folder, "../secret.txt"), "secret");
    const get = await serve(folder);
    rmSync(join(folder, "app.js"));
    writeFileSync(join(folder, "one.txt"), "longer");
    writeFileSync(join(folder, "new.txt"), "new");
    rmSync(join(folder, "index.html"));
    symlinkSync(join(folder, "../secret.txt"), join(folder, "index.html"));
    expect((await get("/app.js")).status).toBe(404);
    expect(await get("/one.txt")).toMatchObject({ status: 503, body: expect.stringContaining("reload the plugin") });
    expect((await get("/new.txt")).status).toBe(404);
    expect((await get("/")).status).toBe(404);
    rmSync(folder, { recursive: true });
    expect((await get("/docs/")).status).toBe(404);
  });

  it("survives a file that comes and goes while it is asked for", async () => {
    const folder = site();
    const file = join(folder, "app.js");
    const when = 1_700_000_000;
    utimesSync(file, when, when);
    const get = await serve(folder);
    let running = true;
    const churn = (async () => {
      while (running) {
        rmSync(file);
        await new Promise((resolve) => setImmediate(resolve));
        writeFileSync(`${file}.new`, "0123456789");
        utimesSync(`${file}.new`, when, when);
        renameSync(`${file}.new`, file);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const seen = new Set<string>();
    for (let round = 0; round < 400; round += 1) {
      const got = await get("/app.js").catch((error: NodeJS.ErrnoException) => ({ status: 0, body: error.code ?? "" }));
      seen.add(`${got.status} ${got.body}`);
    }
    running = false;
    await churn;
    for (const outcome of seen) expect(outcome).toMatch(/^(200 0123456789|404 |0 ECONNRESET)$/);
    expect(await get("/app.js")).toMatchObject({ status: 200, body: "0123456789" });
  });

  it("is done with a request whose client is gone", async () => {
    const handler = await staticHandler(site());
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = request({ port: (server.address() as AddressInfo).port }).on("error", () => undefined);
    const served = new Promise<boolean>((resolve, reject) => {
      server.once("request", (req, res) => {
        res.once("close", () => handler(req, res, "/app.js").then(resolve, reject));
        client.destroy();
      });
    });
    client.end();
    expect(await served).toBe(true);
  });

  it("does not start with a missing folder or a link that leads away", async () => {
    await expect(staticHandler(join(tempDir(), "none"))).rejects.toMatchObject({ code: "STATIC_FOLDER" });
    const links: [string, string][] = [
      ["out", "/etc/passwd"],
      ["nowhere", "/nowhere/at/all"],
      ["loop", "."],
    ];
    for (const [name, target] of links) {
      const folder = site();
      symlinkSync(target, join(folder, name));
      await expect(staticHandler(folder), name).rejects.toMatchObject({ code: "STATIC_FOLDER" });
    }
    const folder = site();
    mkdirSync(join(folder, "sub"));
    symlinkSync("../app.js", join(folder, "sub/link.js"));
    expect((await (await serve(folder))("/sub/link.js")).body).toBe("0123456789");
  });
});

describe("a folder with compressed forms", () => {
  function built(): string {
    const folder = site();
    writeTree(folder, { "app.js.br": "<br>", "app.js.gz": "<gzip>", "one.txt.gz": "<g>", "lone.gz": "its own" });
    return folder;
  }
  const compressed = { access: "public", compressed: true } as const;

  it.each([
    ["br, gzip", "<br>", "br"],
    ["gzip;q=1.0, BR;q=0.5", "<br>", "br"],
    ["gzip, br;q=0", "<gzip>", "gzip"],
    ["gzip, br; q=0.000", "<gzip>", "gzip"],
    ["br;q=0.01", "<br>", "br"],
    ["identity", "0123456789", undefined],
    ["*", "0123456789", undefined],
    ["xbr, brx, gzipped", "0123456789", undefined],
    ["", "0123456789", undefined],
  ])("Accept-Encoding %j gets %s", async (accepted, body, encoding) => {
    const get = await serve(built(), compressed);
    const got = await get("/app.js", { "accept-encoding": accepted });
    expect([got.status, got.body, got.headers["content-encoding"]]).toEqual([200, body, encoding]);
    expect(got.headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "content-length": String(body.length),
      vary: "Accept-Encoding",
    });
  });

  it("has an ETag for each form, and no range of an encoded one", async () => {
    const get = await serve(built(), compressed);
    const br = { "accept-encoding": "br" };
    const [plain, encoded] = [await get("/app.js"), await get("/app.js", br)];
    expect(plain.headers.etag).not.toBe(encoded.headers.etag);
    expect((await get("/app.js", { ...br, "if-none-match": String(encoded.headers.etag) })).status).toBe(304);
    expect((await get("/app.js", { ...br, "if-none-match": String(plain.headers.etag) })).status).toBe(200);
    expect(await get("/app.js", { ...br, range: "bytes=0-1" })).toMatchObject({ status: 200, body: "<br>" });
    expect(await get("/app.js", { range: "bytes=0-1" })).toMatchObject({ status: 206, body: "01" });
    expect(await get("/app.js", br, "HEAD")).toMatchObject({ status: 200, body: "" });
  });

  it("keeps what others vary by, and says nothing of it where there is one form only", async () => {
    const get = await serve(built(), compressed, { vary: "Origin" });
    expect((await get("/app.js")).headers.vary).toBe("Origin, Accept-Encoding");
    expect((await get("/empty.txt")).headers.vary).toBe("Origin");
    expect(await get("/one.txt", { "accept-encoding": "br" })).toMatchObject({
      body: "x",
      headers: { vary: "Origin, Accept-Encoding" },
    });
  });

  it("has no addresses of their own for the forms", async () => {
    const get = await serve(built(), compressed);
    expect((await get("/app.js.br")).status).toBe(404);
    expect((await get("/one.txt.gz")).status).toBe(404);
    expect((await get("/lone.gz")).status).toBe(200);
    expect((await (await serve(built()))("/app.js", { "accept-encoding": "br" })).body).toBe("0123456789");
  });

  it("refuses a form that changed under it", async () => {
    const folder = built();
    const get = await serve(folder, compressed);
    writeFileSync(join(folder, "app.js.br"), "another one");
    expect((await get("/app.js", { "accept-encoding": "br" })).status).toBe(503);
    expect((await get("/app.js", { "accept-encoding": "gzip" })).body).toBe("<gzip>");
    expect((await get("/app.js")).body).toBe("0123456789");
  });
});

describe("a folder of hashed names", () => {
  it.each([
    ["app-B7x9Q2kd.js", "public, max-age=31536000, immutable"],
    ["chat-DlwOJCl-.js", "public, max-age=31536000, immutable"],
    ["files-CHmrc_TD.css", "public, max-age=31536000, immutable"],
    ["app.4f3a9c21.js", "public, max-age=31536000, immutable"],
    ["my-component.js", "no-cache"],
    ["app.js", "no-cache"],
    ["B7x9Q2kd.js", "no-cache"],
    ["index.html", "no-cache"],
  ])("%s: %s", async (name, caching) => {
    const folder = join(tempDir(), "hashed");
    writeTree(folder, { [name]: "x" });
    const asked = async (options: ServeOptions) =>
      (await (await serve(folder, options))(`/${name}`)).headers["cache-control"];
    expect(await asked({ access: "public", immutable: true })).toBe(caching);
    expect(await asked({ access: "read", immutable: true })).toBe(caching.replace("public", "private"));
    expect(await asked({ access: "public" })).toBe("no-cache");
  });
});
