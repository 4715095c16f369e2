/** Attacks on who is asking: S-03 … S-10 and S-12 of the hazards, against a gateway on a real port. */
import { definePlugin, Type } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { attacked, bearer, call, keyWith, raw, send, upgrade } from "./kit.ts";

const evil = "https://evil.example";
const version = "/api/version";

/** The paths of all streams, whoever brought them. */
function streamsOf(host: Awaited<ReturnType<typeof attacked>>): string[] {
  return host.plugins.list().flatMap(({ id }) => host.plugins.info(id).contributions.streams.map(({ path }) => path));
}

describe("S-03: no method before a credential", () => {
  it("refuses config changes from this very machine, and changes nothing", async () => {
    const host = await attacked();
    const before = host.config.hash();
    const empty: Record<string, string>[] = [
      {},
      { authorization: "Bearer " },
      { authorization: "Basic eDp5" },
      { cookie: "chela_token=" },
    ];
    for (const headers of empty) {
      const change = await send(host, "/api/config", { headers, body: '{"gateway":{"auth":{"mode":"none"}}}' });
      expect(change).toMatchObject({ status: 401, text: "unauthorized\n" });
      const rpc = await send(host, "/api/call", {
        headers,
        body: '{"method":"config.set","params":{"path":"gateway.token","value":"mine"}}',
      });
      expect(rpc.status).toBe(401);
    }
    expect(host.config.hash()).toBe(before);
  });

  it("answers before it reads: a stranger's endless body is not waited for", async () => {
    const host = await attacked();
    const text = await raw(host, "POST /api/config HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n{", (seen) =>
      seen.includes("unauthorized"),
    );
    expect(text).toMatch(/^HTTP\/1\.1 401/);
    expect(text).toMatch(/connection: close/i);
  });
});

describe("S-04: a web page guesses at a gateway on localhost", () => {
  it("may not even knock on a stream, with whatever credential", async () => {
    const host = await attacked();
    for (const path of streamsOf(host)) {
      for (const origin of [evil, "null", "file://", "http://localhost.evil.example", host.url.replace(/\d+$/, "1")]) {
        expect(await upgrade(host, path, { ...bearer(host.token), origin }), `${path} from ${origin}`).toBe(403);
        expect(await upgrade(host, path, { origin }), `${path} from ${origin}`).toBe(403);
      }
      const own = await upgrade(host, path, { ...bearer(host.token), origin: host.url });
      expect(own, path).toBeTypeOf("object");
      if (typeof own === "object") own.close();
    }
  });

  it("meets the limiter on loopback too, without locking the owner out", async () => {
    const host = await attacked();
    const codes: number[] = [];
    for (let i = 0; i < 40; i++)
      codes.push((await send(host, `${version}?token=guess-${i}`, { headers: { origin: evil } })).status);
    expect(codes.filter((status) => status === 401)).toHaveLength(20);
    expect(codes.slice(20).every((status) => status === 429)).toBe(true);
    const image = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" };
    expect((await send(host, `${version}?token=${host.token}`, { headers: image })).status).toBe(429);
    expect((await send(host, version, { headers: bearer(host.token) })).status).toBe(200);
  });
});

describe("S-05: claimed scopes", () => {
  it("count for nothing, wherever they stand", async () => {
    const host = await attacked();
    const key = await keyWith(host, ["read"]);
    const headers = {
      ...bearer(key),
      "x-openclaw-scopes": "operator.admin",
      "x-chela-scopes": "admin",
      "x-forwarded-user": "root",
    };
    const params = {
      path: "gateway.port",
      value: 1,
      scopes: ["admin"],
      identity: { id: "token", scopes: ["admin"] },
      approved: true,
    };
    const body = { method: "config.set", params, scopes: ["admin"], identity: { scopes: ["admin"] }, role: "admin" };
    const answer = await send(host, "/api/call?scope=admin&scopes=admin", { headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("missing scope: admin");
  });
});

describe("S-06, S-07, S-08: one budget of guesses", () => {
  it("is shared by all transports", async () => {
    const host = await attacked();
    const guesses = [
      (n: number) => send(host, version, { headers: bearer(`g${n}`) }).then(({ status }) => status),
      (n: number) => send(host, `${version}?token=g${n}`).then(({ status }) => status),
      (n: number) =>
        send(host, version, { headers: { cookie: `clawgo_webui_token=g${n}` } }).then(({ status }) => status),
      (n: number) => upgrade(host, "/api/events/live", bearer(`g${n}`)).then(Number),
      (n: number) => upgrade(host, `/api/events/live?token=g${n}`).then(Number),
    ];
    const codes: number[] = [];
    for (let n = 0; n < 25; n++) codes.push(await (guesses[n % guesses.length] as (n: number) => Promise<number>)(n));
    expect(codes).toEqual([...Array<number>(20).fill(401), ...Array<number>(5).fill(429)]);
    const late = await send(host, version, { headers: bearer(host.token) });
    expect(late.status).toBe(429);
    expect(Number(late.headers["retry-after"])).toBeGreaterThan(0);
    expect(await upgrade(host, "/api/events/live", bearer(host.token))).toBe(429);
  });

  it("gives 100 parallel guesses no more than 20 tries", async () => {
    const host = await attacked();
    const codes = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        send(host, version, { headers: bearer(`g${n}`) }).then(({ status }) => status),
      ),
    );
    expect(codes.filter((status) => status === 401)).toHaveLength(20);
    expect(codes.filter((status) => status === 429)).toHaveLength(80);
  });

  it("lets 300 wrong tokens of one address meet 429, and not touch another address", async () => {
    const host = await attacked({ config: { gateway: { trustedProxies: ["127.0.0.1"] } } });
    const from = (address: string, token: string) =>
      send(host, version, { headers: { ...bearer(token), "x-forwarded-for": address } }).then(({ status }) => status);
    const codes: number[] = [];
    for (let n = 0; n < 300; n++) codes.push(await from("198.51.100.1", `g${n}`));
    expect(codes.filter((status) => status === 401)).toHaveLength(20);
    expect(codes.slice(20).every((status) => status === 429)).toBe(true);
    expect(await from("198.51.100.2", host.token)).toBe(200);
    expect(await from("::ffff:198.51.100.1", host.token)).toBe(429);
    expect(await from("2001:db8::1", host.token)).toBe(200);
  });

  it("counts neither missing credentials nor right ones in a burst", async () => {
    const host = await attacked();
    const key = await keyWith(host, ["read"]);
    await Promise.all(Array.from({ length: 60 }, () => send(host, version)));
    const codes = await Promise.all(
      Array.from({ length: 60 }, () => send(host, version, { headers: bearer(key) }).then(({ status }) => status)),
    );
    expect(new Set(codes)).toEqual(new Set([200]));
  });
});

describe("S-09, S-10: locality that the client claims", () => {
  const none = { gateway: { auth: { mode: "none" } } };

  it("comes from the socket alone in mode none", async () => {
    const host = await attacked({ config: none });
    const { host: authority } = new URL(host.url);
    expect((await send(host, version)).status).toBe(200);
    expect((await send(host, version, { headers: { host: `localhost:${authority.split(":")[1]}` } })).status).toBe(200);
    for (const name of ["x-forwarded-for", "x-real-ip", "forwarded", "via", "cf-connecting-ip", "x-forwarded-host"]) {
      expect((await send(host, version, { headers: { [name]: "127.0.0.1" } })).status, name).toBe(401);
      expect(await upgrade(host, "/api/events/live", { [name]: "127.0.0.1" }), name).toBe(401);
    }
  });

  it("is not lost in a crowd of headers", async () => {
    const host = await attacked({ config: none });
    const crowd = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-junk-${i}`, "1"]));
    expect((await send(host, version, { headers: { ...crowd, "x-forwarded-for": "127.0.0.1" } })).status).toBe(401);
    expect((await send(host, version, { headers: { ...crowd, origin: evil } })).status).toBe(403);
  });

  it("is refused to a rebound name", async () => {
    const host = await attacked({ config: none });
    for (const name of ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.168.1.5"]) {
      expect((await send(host, version, { headers: { host: name } })).status, name).toBe(401);
      expect(await upgrade(host, "/api/events/live", { host: name }), name).toBe(401);
    }
  });

  it("cannot be had by naming a user", async () => {
    const proxied = { gateway: { auth: { mode: "trusted-proxy" }, trustedProxies: ["10.0.0.1"] } };
    const host = await attacked({ config: proxied });
    const claim = { "x-forwarded-user": "admin", "x-forwarded-for": "10.0.0.1" };
    expect((await send(host, version, { headers: claim })).status).toBe(401);
    expect((await send(host, version, { headers: { ...claim, ...bearer(host.token) } })).status).toBe(401);
    expect((await send(host, version, { headers: bearer(host.token) })).status).toBe(200);
  });
});

describe("S-12: another way in", () => {
  it("is closed: paths that nobody registered, and the Referer on anything but assets", async () => {
    const host = await attacked();
    for (const path of [
      "/",
      "/ws",
      "/v1/ws",
      "/api/chat/live/",
      "/API/chat/live",
      "/api//chat/live",
      "/api/chat/live/x",
      "/socket.io/?EIO=4",
    ]) {
      expect([400, 401, 404], path).toContain(await upgrade(host, path));
    }
    const referer = `${host.url}/?token=${host.token}`;
    expect((await send(host, version, { headers: { referer } })).status).toBe(401);
    expect((await call(host, "gateway.status", {}, "wrong")).status).toBe(401);
    for (const path of streamsOf(host)) expect(await upgrade(host, path, { referer }), path).toBe(401);
  });

  it("serves assets by Referer, and with it nothing above reading", async () => {
    const folder = new URL(".", import.meta.url).pathname;
    const assets = definePlugin({
      id: "assets",
      version: "1.0.0",
      host: "^1.0.0",
      config: Type.Object({}),
      setup: (ctx) => {
        ctx.static("/assets", folder, { access: "read" });
        ctx.static("/vault", folder, { access: "write" });
      },
    });
    const host = await attacked({}, [assets]);
    const referer = `${host.url}/?token=${host.token}`;
    expect((await send(host, "/assets/kit.ts", { headers: { referer } })).status).toBe(200);
    expect((await send(host, "/vault/kit.ts", { headers: { referer } })).status).toBe(403);
    expect((await send(host, "/assets/kit.ts")).status).toBe(401);
    expect((await send(host, "/assets/kit.ts", { headers: { referer: `${host.url}/?token=wrong` } })).status).toBe(401);
  });
});
