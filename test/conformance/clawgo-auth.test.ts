/** ClawGo contract §1.1 and §11.7: who gets in, by which way, and what a stranger is told. */
import { describe, expect, it } from "vitest";
import { type Answer, ask, bearer, connect, gatewayForAll, type Talk } from "./kit.ts";

const gateway = gatewayForAll();

const refused = {
  status: 401,
  text: "unauthorized\n",
  headers: expect.objectContaining({
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
  }) as unknown,
};

interface Way {
  readonly query: string;
  readonly headers: Record<string, string>;
}

/** How a client may carry `token`. */
const transports: Readonly<Record<string, (token: string) => Way>> = {
  bearer: (token) => ({ query: "", headers: bearer(token) }),
  query: (token) => ({ query: `?token=${encodeURIComponent(token)}`, headers: {} }),
  cookie: (token) => ({ query: "", headers: { cookie: `clawgo_webui_token=${token}` } }),
  referer: (token) => ({ query: "", headers: { referer: `${gateway().url}/?token=${encodeURIComponent(token)}` } }),
};

async function knock(way: Way): Promise<{ right: Answer; wrong: Answer; socket: Answer | Talk }> {
  return {
    right: await ask(gateway(), `/api/version${way.query}`, { headers: way.headers }),
    wrong: await ask(gateway(), `/api/version${way.query}`, { headers: way.headers, method: "DELETE" }),
    socket: await connect(gateway(), `/api/events/live${way.query}`, way.headers),
  };
}

describe("11.7 auth matrix", () => {
  it.each(["bearer", "query", "cookie"])(
    "%s with the right token: 200, wrong method 405, socket open",
    async (name) => {
      const { right, wrong, socket } = await knock((transports[name] as (token: string) => Way)(gateway().token));
      expect(right).toMatchObject({ status: 200, json: expect.any(Function) as unknown });
      expect(right.json()).toMatchObject({ ok: true });
      expect(wrong).toMatchObject({ status: 405, text: "method not allowed\n" });
      expect(await (socket as Talk).frame()).toMatchObject({ type: "ready" });
    },
  );

  it.each(Object.keys(transports))("%s with a wrong token: 401 whatever the method, no socket", async (name) => {
    const { right, wrong, socket } = await knock((transports[name] as (token: string) => Way)("wrong-token"));
    expect(right).toMatchObject(refused);
    expect(wrong).toMatchObject(refused);
    expect(socket).toMatchObject(refused);
  });

  it.each(Object.keys(transports))("%s with an empty token: 401 whatever the method, no socket", async (name) => {
    const { right, wrong, socket } = await knock((transports[name] as (token: string) => Way)(""));
    expect(right).toMatchObject(refused);
    expect(wrong).toMatchObject(refused);
    expect(socket).toMatchObject(refused);
  });

  it("nothing at all: 401 on every method of a known path", async () => {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      expect(await ask(gateway(), "/api/config", { method }), method).toMatchObject(refused);
    }
  });

  it("the right token in a Referer is no key to the API (deliberate: it serves assets only)", async () => {
    const { right, wrong, socket } = await knock((transports.referer as (token: string) => Way)(gateway().token));
    expect(right).toMatchObject(refused);
    expect(wrong).toMatchObject(refused);
    expect(socket).toMatchObject(refused);
  });
});

describe("1.1 auth", () => {
  it("a wrong bearer does not keep a later transport from succeeding", async () => {
    const { token } = gateway();
    const inQuery = await ask(gateway(), `/api/version?token=${token}`, { headers: bearer("wrong") });
    const inCookie = await ask(gateway(), "/api/version", {
      headers: { ...bearer("wrong"), cookie: `a=b; clawgo_webui_token=${token}` },
    });
    expect([inQuery.status, inCookie.status]).toEqual([200, 200]);
  });

  it("the scheme is `Bearer`, to the letter; values are trimmed", async () => {
    const { token } = gateway();
    const status = async (authorization: string) =>
      (await ask(gateway(), "/api/version", { headers: { authorization } })).status;
    expect(await status(`bearer ${token}`)).toBe(401);
    expect(await status(`Basic ${token}`)).toBe(401);
    expect(await status(token)).toBe(401);
    expect(await status(`  Bearer ${token}  `)).toBe(200);
    expect((await ask(gateway(), `/api/version?token=%20${token}%20`)).status).toBe(200);
  });

  it("the first `token` of a query counts", async () => {
    const { token } = gateway();
    expect((await ask(gateway(), `/api/version?token=${token}&token=x`)).status).toBe(200);
    expect((await ask(gateway(), `/api/version?token=&token=${token}`)).status).toBe(401);
  });

  it("a refused socket is plain HTTP before the upgrade", async () => {
    for (const path of ["/api/chat/live", "/api/logs/live", "/api/events/live"]) {
      expect(await connect(gateway(), path), path).toMatchObject(refused);
    }
  });
});

describe("C1", () => {
  it("a gateway with no config has a token that is not empty, and opens to nobody without it", async () => {
    expect(gateway().token.length).toBeGreaterThanOrEqual(32);
    expect((await ask(gateway(), "/api/config")).status).toBe(401);
    expect((await ask(gateway(), "/api/config", { headers: bearer(gateway().token) })).status).toBe(200);
  });

  it("an empty `gateway.token` sent by a client does not open the gateway (deliberate)", async () => {
    const saved = await ask(gateway(), "/api/config", {
      headers: bearer(gateway().token),
      body: { gateway: { token: "" } },
    });
    expect(saved.json()).toMatchObject({ ok: true });
    expect(await ask(gateway(), "/api/version")).toMatchObject(refused);
    expect((await ask(gateway(), "/api/version", { headers: bearer(gateway().token) })).status).toBe(200);
  });
});
