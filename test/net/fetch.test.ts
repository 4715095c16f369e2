import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createGuardedFetch, type GuardedFetchOptions } from "../../kernel/net/fetch.ts";
import { httpServer } from "../kit/http-server.ts";

const here = { address: "127.0.0.1", family: 4 };

function guarded(options: Partial<GuardedFetchOptions> = {}) {
  const fetch = createGuardedFetch({ trust: () => [], lookup: async () => [here], ...options });
  onTestFinished(() => fetch.close());
  return fetch;
}

/** What a call fails with, or fails the test. */
async function failure(call: Promise<Response>): Promise<{ code: string; status: number; message: string }> {
  const response = await call.then(
    () => undefined,
    (error) => error as { code: string; status: number; message: string },
  );
  if (response === undefined) throw new Error("the call was let through");
  return response;
}

describe("where it may go", () => {
  it.each([
    ["http://127.0.0.1:PORT/"],
    ["http://127.1:PORT/"],
    ["http://2130706433:PORT/"],
    ["http://0x7f.0.0.1:PORT/"],
    ["http://0177.0.0.1:PORT/"],
    ["http://[::1]:PORT/"],
    ["http://[0:0:0:0:0:ffff:7f00:1]:PORT/"],
    ["http://[::ffff:127.0.0.1]:PORT/"],
    ["http://[64:ff9b::7f00:1]:PORT/"],
    ["http://[2002:7f00:1::]:PORT/"],
    ["http://0.0.0.0:PORT/"],
    ["http://169.254.169.254:PORT/latest/meta-data/"],
    ["http://localhost:PORT/"],
    ["http://localhost.:PORT/"],
    ["http://LOCALHOST:PORT/"],
    ["http://app.localhost:PORT/"],
    ["http://internal.test:PORT/"],
    ["http://internal.test.:PORT/"],
  ])("refuses %s before a byte is sent", async (url) => {
    const server = await httpServer((_req, res) => res.end("secret"));
    const error = await failure(guarded()(url.replace("PORT", String(server.port))));
    expect(error).toMatchObject({ code: "OUTBOUND_REFUSED", status: 403 });
    expect(server.seen).toEqual([]);
  });

  it.each([
    [[{ address: "8.8.8.8", family: 4 }, here]],
    [
      [
        { address: "2606:4700::1111", family: 6 },
        { address: "fd00::1", family: 6 },
      ],
    ],
    [[{ address: "::ffff:7f00:1", family: 6 }]],
  ])("refuses a name when any of its addresses is private: %j", async (answers) => {
    const error = await failure(guarded({ lookup: async () => answers })("http://mixed.test/"));
    expect(error.code).toBe("OUTBOUND_REFUSED");
  });

  it("asks for the addresses once per connection, so a name cannot change between check and connect", async () => {
    const server = await httpServer((_req, res) => res.end("secret"));
    let asked = 0;
    const fetch = guarded({
      lookup: async () => {
        asked += 1;
        return asked === 1 ? [{ address: "192.0.2.1", family: 4 }] : [here];
      },
    });
    const error = await failure(fetch(`http://rebinding.test:${server.port}/`));
    expect(error.message).toContain("192.0.2.1");
    expect(asked).toBe(1);
    expect(server.seen).toEqual([]);
  });

  it("lets an exact trusted origin through, and only that one", async () => {
    const server = await httpServer((_req, res) => res.end("hello"));
    const fetch = guarded({ trust: () => [`http://127.0.0.1:${server.port}`, `http://model.test.:${server.port}`] });
    expect(await (await fetch(`${server.origin}/a`)).text()).toBe("hello");
    expect(await (await fetch(`http://model.test:${server.port}/b`)).text()).toBe("hello");
    expect((await failure(fetch(`http://other.test:${server.port}/c`))).code).toBe("OUTBOUND_REFUSED");
    expect((await failure(fetch(`http://127.0.0.1:${server.port + 1}/d`))).code).toBe("OUTBOUND_REFUSED");
    expect(server.seen.map(({ path }) => path)).toEqual(["/a", "/b"]);
  });

  it("reads the trust list at each request and takes one more list per call", async () => {
    const server = await httpServer((_req, res) => res.end("hello"));
    const list: string[] = [];
    const fetch = guarded({ trust: () => list });
    expect((await failure(fetch(server.origin))).code).toBe("OUTBOUND_REFUSED");
    expect((await fetch(server.origin, { trust: [server.origin] })).status).toBe(200);
    list.push(server.origin);
    expect((await fetch(server.origin)).status).toBe(200);
    list.pop();
    expect((await failure(fetch(server.origin))).code).toBe("OUTBOUND_REFUSED");
  });

  it("a dispatcher smuggled in by the caller does not replace the guarded one", async () => {
    const { Agent } = await import("undici");
    const server = await httpServer((_req, res) => res.end("secret"));
    const init = { dispatcher: new Agent() } as unknown as RequestInit;
    expect((await failure(guarded()(`http://internal.test:${server.port}/`, init))).code).toBe("OUTBOUND_REFUSED");
    expect(server.seen).toEqual([]);
  });

  it.each([["file:///etc/passwd"], ["data:text/plain,x"], ["ftp://example.com/"], ["not a url"], ["/relative"]])(
    "does not fetch %s",
    async (url) => {
      expect(await failure(guarded()(url))).toMatchObject({ code: "OUTBOUND_URL", status: 400 });
    },
  );
});

describe("redirects", () => {
  it("are judged like a first request: to metadata, to loopback by name, to another scheme", async () => {
    for (const target of [
      "http://169.254.169.254/latest",
      "http://internal.test/",
      "//localhost./x",
      "file:///etc/passwd",
    ]) {
      const server = await httpServer((_req, res) => res.writeHead(302, { location: target }).end());
      const error = await failure(guarded({ trust: () => [server.origin] })(server.origin));
      expect(error.code, target).toMatch(/^OUTBOUND_(REFUSED|URL)$/);
    }
  });

  it("drop credentials, own headers and the body on the way to another origin", async () => {
    const target = await httpServer((_req, res) => res.end("there"));
    const server = await httpServer((_req, res) => res.writeHead(307, { location: `${target.origin}/x` }).end());
    const fetch = guarded({ trust: () => [server.origin, target.origin] });
    const headers = { authorization: "Bearer s", cookie: "a=b", "x-api-key": "s", accept: "text/plain" };
    await fetch(server.origin, { method: "POST", body: "secret body", headers });
    expect(server.seen[0]?.headers).toMatchObject({ authorization: "Bearer s", "x-api-key": "s" });
    expect(server.seen[0]?.body).toBe("secret body");
    expect(target.seen[0]?.body).toBe("");
    expect(target.seen[0]?.headers.accept).toBe("text/plain");
    for (const name of ["authorization", "cookie", "x-api-key"])
      expect(target.seen[0]?.headers).not.toHaveProperty(name);
  });

  it("keep everything on the same origin, where 307 sends the body again and 303 turns into GET", async () => {
    const server = await httpServer((req, res) => {
      if (req.url === "/a") res.writeHead(307, { location: "/b" }).end();
      else if (req.url === "/b") res.writeHead(303, { location: "/c" }).end();
      else res.end("done");
    });
    const fetch = guarded({ trust: () => [server.origin] });
    const response = await fetch(`${server.origin}/a`, { method: "POST", body: "x", headers: { "x-own": "1" } });
    expect(response.url).toBe(`${server.origin}/c`);
    expect(server.seen.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["POST", "/a", "x"],
      ["POST", "/b", "x"],
      ["GET", "/c", ""],
    ]);
    expect(server.seen[2]?.headers).toMatchObject({ "x-own": "1" });
    expect(server.seen[2]?.headers).not.toHaveProperty("content-type");
  });

  it("never send a streamed body twice", async () => {
    const server = await httpServer((_req, res) => res.writeHead(307, { location: "/again" }).end());
    const body = new Blob(["once"]).stream();
    const init = { method: "POST", body, duplex: "half" } as RequestInit;
    const error = await failure(guarded({ trust: () => [server.origin] })(server.origin, init));
    expect(error.code).toBe("OUTBOUND_REDIRECTS");
  });

  it("end after a few, and can be forbidden or handed to the caller", async () => {
    const server = await httpServer((_req, res) => res.writeHead(302, { location: "/round" }).end());
    const fetch = guarded({ trust: () => [server.origin], maxRedirects: 3 });
    expect((await failure(fetch(server.origin))).code).toBe("OUTBOUND_REDIRECTS");
    expect(server.seen.length).toBe(4);
    expect((await failure(fetch(server.origin, { redirect: "error" }))).code).toBe("OUTBOUND_REDIRECTS");
    expect((await fetch(server.origin, { redirect: "manual" })).status).toBe(302);
  });
});

describe("limits", () => {
  it("cuts a body at the byte limit, also one that is small on the wire", async () => {
    const server = await httpServer((req, res) => {
      if (req.url === "/zip") res.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(1_000_000)));
      else res.end(Buffer.alloc(2000));
    });
    const fetch = guarded({ trust: () => [server.origin], maxBytes: 1999 });
    for (const path of ["/plain", "/zip"]) {
      const response = await fetch(server.origin + path);
      await expect(response.text()).rejects.toMatchObject({ code: "OUTBOUND_TOO_LARGE" });
    }
    const enough = guarded({ trust: () => [server.origin], maxBytes: 2000 });
    expect((await (await enough(`${server.origin}/plain`)).arrayBuffer()).byteLength).toBe(2000);
  });

  it("gives up on a server that accepts and says nothing", async () => {
    const server = await httpServer(() => undefined);
    const error = await failure(guarded({ trust: () => [server.origin], stallMs: 200 })(server.origin));
    expect(error).toMatchObject({ code: "OUTBOUND_TIMEOUT", status: 504 });
  });

  it("waits for a patient reader, who keeps count himself", async () => {
    const server = await httpServer((_req, res) => void res.write("x".repeat(200)));
    const fetch = guarded({ trust: () => [server.origin], stallMs: 200, maxBytes: 100 });
    await expect(fetch(server.origin).then((response) => response.text())).rejects.toThrow();
    const patient = await fetch(server.origin, { patient: true });
    const reader = (patient.body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).value).toHaveLength(200);
    const second = reader.read().then(() => "ended");
    const short = await fetch(server.origin, { signal: AbortSignal.timeout(1500) })
      .then((response) => response.text())
      .catch(() => "gave up");
    expect(await Promise.race([second, short])).toBe("gave up");
    await reader.cancel();
  });

  it("follows the caller's signal and reports what cannot be reached", async () => {
    const server = await httpServer(() => undefined);
    const fetch = guarded({ trust: () => [server.origin, "http://127.0.0.1:9"] });
    await expect(fetch(server.origin, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
    expect(await failure(fetch("http://127.0.0.1:9"))).toMatchObject({ code: "OUTBOUND_FAILED", status: 502 });
    expect((await failure(guarded({ lookup: async () => [] })("http://nowhere.test/"))).code).toBe("OUTBOUND_FAILED");
  });

  it("ignores proxies named in the environment", async () => {
    const server = await httpServer((_req, res) => res.end("direct"));
    onTestFinished(() => void vi.unstubAllEnvs());
    for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]) vi.stubEnv(name, "http://127.0.0.1:9");
    vi.stubEnv("NODE_USE_ENV_PROXY", "1");
    expect(await (await guarded({ trust: () => [server.origin] })(server.origin)).text()).toBe("direct");
  });

  it("keeps status, headers, repeated cookies and empty bodies", async () => {
    const server = await httpServer((req, res) => {
      if (req.url === "/empty") return void res.writeHead(204).end();
      res.writeHead(418, { "set-cookie": ["a=1", "b=2"], "x-one": "1" }).end("tea");
    });
    const fetch = guarded({ trust: () => [server.origin] });
    const tea = await fetch(`${server.origin}/tea`);
    expect([tea.status, tea.headers.get("x-one"), tea.headers.getSetCookie(), await tea.text()]).toEqual([
      418,
      "1",
      ["a=1", "b=2"],
      "tea",
    ]);
    expect((await fetch(`${server.origin}/empty`)).status).toBe(204);
  });
});
