/** ClawGo contract §1.1, §1.4 and §11.7: probes, CORS, routing, the exact bytes of refusals. */
import { describe, expect, it } from "vitest";
import { ask, askAsOwner, bearer, connect, gatewayForAll } from "./kit.ts";

const allowed = "https://ui.example";
const gateway = gatewayForAll({ config: { gateway: { controlUi: { allowedOrigins: [allowed] } } } });

const plain = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };

/** A refusal in ClawGo's dialect: text, a line feed, and nothing that a browser could take for something else. */
function textual(status: number, text: string) {
  const headers = { ...plain, "content-length": String(text.length + 1) };
  return { status, text: `${text}\n`, headers: expect.objectContaining(headers) as unknown };
}

describe("11.7 /health", () => {
  it.each(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])(
    "answers `ok` to %s without a credential",
    async (method) => {
      const answer = await ask(gateway(), "/health", { method });
      if (method === "OPTIONS") return expect(answer).toMatchObject({ status: 204, text: "" });
      expect(answer).toMatchObject({ status: 200, text: "ok" });
      expect(answer.headers["content-type"]).toMatch(/^text\/plain/);
    },
  );

  it("answers HEAD with the headers alone, and a body that it does not expect", async () => {
    expect(await ask(gateway(), "/health", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
    expect(await ask(gateway(), "/health", { body: "x".repeat(100_000) })).toMatchObject({ status: 200, text: "ok" });
  });
});

describe("A8: OPTIONS with Origin and what is asked for", () => {
  it.each(["/api/config", "/v1/models", "/no/such/path", "/api/chat/live"])(
    "on %s: 204 with an exact echo",
    async (path) => {
      const answer = await ask(gateway(), path, {
        method: "OPTIONS",
        headers: {
          origin: allowed,
          "access-control-request-method": "PATCH",
          "access-control-request-headers": "authorization,x-custom-header",
        },
      });
      expect(answer).toMatchObject({ status: 204, text: "" });
      expect(answer.headers).toMatchObject({
        "access-control-allow-origin": allowed,
        vary: "Origin",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "PATCH",
        "access-control-allow-headers": "authorization,x-custom-header",
        "access-control-expose-headers": "*",
        "access-control-max-age": "86400",
      });
    },
  );

  it("lists the defaults where nothing is asked for, on any reply, 401 and 404 included", async () => {
    const headers = { origin: allowed };
    for (const [path, status] of [
      ["/api/version", 401],
      ["/nope", 404],
      ["/health", 200],
    ] as const) {
      const answer = await ask(gateway(), path, { headers });
      expect(answer.status, path).toBe(status);
      expect(answer.headers, path).toMatchObject({
        "access-control-allow-origin": allowed,
        "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
        "access-control-allow-headers":
          "Authorization, Content-Type, X-Requested-With, Accept, Origin, Cache-Control, Pragma",
      });
    }
  });

  it("echoes no origin that is not allowed (deliberate)", async () => {
    const answer = await ask(gateway(), "/api/config", {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    expect(answer.headers["access-control-allow-credentials"]).toBeUndefined();
  });
});

describe("11.7 OPTIONS", () => {
  it("is 204 and empty on an unknown path, without a credential and without an Origin", async () => {
    const answer = await ask(gateway(), "/api/no/such/thing", { method: "OPTIONS" });
    expect(answer).toMatchObject({ status: 204, text: "" });
    expect(answer.headers["content-type"]).toBeUndefined();
  });
});

describe("11.7 bodies of 404 and 405, byte for byte", () => {
  it.each([
    "/nope",
    "/api",
    "/api/",
    "/api/version/",
    "/api/versions",
    "/API/version",
    "/health/",
    "/api/whatsapp/status",
  ])("404 on %s, with and without a credential", async (path) => {
    expect(await ask(gateway(), path)).toMatchObject(textual(404, "404 page not found"));
    expect(await askAsOwner(gateway(), path, { method: "POST", body: "{}" })).toMatchObject(
      textual(404, "404 page not found"),
    );
  });

  it.each([
    ["POST", "/api/version"],
    ["PUT", "/api/config"],
    ["DELETE", "/api/chat"],
    ["GET", "/api/chat"],
    ["POST", "/api/chat/history"],
    ["PUT", "/api/sessions"],
    ["PATCH", "/api/logs/recent"],
    ["POST", "/api/chat/live"],
    ["POST", "/api/events/live"],
    ["POST", "/api/logs/live"],
  ])("405 for %s %s", async (method, path) => {
    expect(await askAsOwner(gateway(), path, { method })).toMatchObject(textual(405, "method not allowed"));
  });

  it("HEAD is 405 on a route that only takes GET", async () => {
    expect(await askAsOwner(gateway(), "/api/version", { method: "HEAD" })).toMatchObject({ status: 405, text: "" });
  });

  it("a plain GET of a live connection is 400", async () => {
    for (const path of ["/api/chat/live", "/api/events/live", "/api/logs/live", "/v1/ws"]) {
      expect(await askAsOwner(gateway(), path), path).toMatchObject(textual(400, "Bad Request"));
    }
  });

  it("the relay speaks ClawGo's dialect among OpenAI's paths", async () => {
    expect(await askAsOwner(gateway(), "/v1/ws", { method: "POST" })).toMatchObject(textual(405, "method not allowed"));
    expect(await ask(gateway(), "/v1/ws")).toMatchObject(textual(401, "unauthorized"));
  });

  it("a socket on a path that is none is 404, on a route 405 or 404: never a hang", async () => {
    expect(await connect(gateway(), "/nope/live", bearer(gateway().token))).toMatchObject({ status: 404 });
    expect((await connect(gateway(), "/api/version", bearer(gateway().token))) as object).toHaveProperty("status");
  });

  it("a path that two servers could read differently is refused, where ClawGo redirected (deliberate)", async () => {
    for (const path of ["/api//version", "/api/./version", "/api/x/../version", "/api/%2e%2e/version"]) {
      const answer = await askAsOwner(gateway(), path);
      expect(answer.status, path).toBe(400);
      expect(answer.headers, path).toMatchObject(plain);
    }
  });
});

describe("11.7 the shape of errors", () => {
  it("is text for a client that takes anything, as browsers, curl and axios say they do", async () => {
    for (const accept of [
      undefined,
      "*/*",
      "text/html,application/xhtml+xml,*/*;q=0.8",
      "application/json, text/plain, */*",
    ]) {
      const headers: Record<string, string> = accept === undefined ? {} : { accept };
      expect(await ask(gateway(), "/api/version", { headers }), accept).toMatchObject(textual(401, "unauthorized"));
    }
  });

  it("is an object for one that takes JSON and nothing else", async () => {
    const answer = await ask(gateway(), "/api/version", { headers: { accept: "application/json" } });
    expect(answer.status).toBe(401);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.json()).toMatchObject({ ok: false, error: "unauthorized" });
  });
});

describe("1.4 version", () => {
  it("is what the API document shows", async () => {
    const answer = await askAsOwner(gateway(), "/api/version");
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.text.endsWith("}\n")).toBe(true);
    const { ok, gateway_version, compiled_channels } = answer.json() as Record<string, unknown>;
    expect(ok).toBe(true);
    expect(gateway_version).toMatch(/^\d+\.\d+\.\d+/);
    expect(compiled_channels).toEqual([...(compiled_channels as string[])].sort());
  });
});
