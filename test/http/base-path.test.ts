/** `gateway.basePath`: taken off once, before anything looks at the path, as the bytes that were configured and no others. */
import { definePlugin } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { canonicalPath } from "../../kernel/http/urls.ts";
import { raw, statusOf, upgrade } from "../attacks/kit.ts";
import { page, signIn } from "../plugins/webui/kit.ts";

const probe = definePlugin({
  id: "probe",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.route({ method: "GET", path: "/api/secret", access: "read", handler: ({ path }) => ({ path }) });
    ctx.stream({ path: "/api/secret/live", access: "read", open: (socket) => void socket.send({ open: true }) });
  },
});

const withBase = (basePath: string) => ({ gateway: { basePath } });

describe("a gateway below /chela", () => {
  let host: TestHost;
  let bearer: { authorization: string };

  beforeAll(async () => {
    host = await startHost({ plugins: [probe], config: withBase("/chela"), port: 0 });
    bearer = { authorization: `Bearer ${host.token}` };
    return () => host.stop();
  });

  it("answers there and at the bare paths alike, with the same auth", async () => {
    for (const path of ["/api/secret", "/chela/api/secret"]) {
      expect(await statusOf(host, path)).toBe(401);
      const reply = await host.request(path);
      expect([reply.status, reply.json()]).toEqual([200, { path: "/api/secret" }]);
    }
    for (const path of ["/health", "/chela/health", "/ready", "/chela/ready"])
      expect(await statusOf(host, path)).toBe(200);
    for (const path of ["/api/secret/live", "/chela/api/secret/live"]) {
      expect(await upgrade(host, path)).toBe(401);
      const socket = await upgrade(host, path, bearer);
      if (typeof socket === "number") throw new Error(`refused with ${socket}`);
      expect(await socket.next()).toEqual({ open: true });
      await socket.close();
    }
  });

  it("leads from the base path to the page below it, query included", async () => {
    for (const [from, to] of [
      ["/chela", "/chela/"],
      ["/chela?token=x", "/chela/?token=x"],
    ]) {
      const reply = await raw(host, `GET ${from} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      expect(reply).toMatch(/^HTTP\/1\.1 308 /);
      expect(reply.toLowerCase()).toContain(`\r\nlocation: ${to}\r\n`);
      expect(reply.toLowerCase()).toContain("\r\ncache-control: no-store\r\n");
    }
    expect(await upgrade(host, "/chela", bearer)).toBe(404);
  });

  it.each([
    ["/chela%2fapi/secret", 400],
    ["/chela%2Fapi/secret", 400],
    ["/chela//api/secret", 400],
    ["//chela/api/secret", 400],
    ["/chela/../api/secret", 400],
    ["/chela/%2e%2e/api/secret", 400],
    ["/chela/./api/secret", 400],
    ["/chela;/api/secret", 400],
    ["/chela\\api/secret", 400],
    ["/%63hela/api/secret", 400],
    ["/chel%61/api/secret", 400],
    ["http://x/chela/api/secret", 400],
    ["/chelaapi/secret", 404],
    ["/CHELA/api/secret", 404],
    ["/chela/chela/api/secret", 404],
    ["/x/chela/api/secret", 404],
    ["/chela/", 404],
  ])("%s is %i, whoever asks", async (target, status) => {
    expect(await statusOf(host, target, bearer)).toBe(status);
    expect(await statusOf(host, target)).toBe(status);
  });

  it("is a change without a restart", async () => {
    await using own = await startHost({ plugins: [probe], config: withBase("/one") });
    const set = await own.config.write([{ path: "gateway.basePath", value: "/two/three" }], { who: "test" });
    expect(set.restarted).toEqual([]);
    expect((await own.request("/one/api/secret")).status).toBe(404);
    expect((await own.request("/two/three/api/secret")).status).toBe(200);
  });

  it.each([
    "/",
    "chela",
    "/chela/",
    "//chela",
    "/a//b",
    "/..",
    "/a/../b",
    "/a%2fb",
    "/a b",
    "/a?b",
    `/${"a".repeat(256)}`,
  ])("cannot be %j", async (value) => {
    await using own = await startHost({ plugins: [probe] });
    const writing = own.config.write([{ path: "gateway.basePath", value }], { who: "test" });
    await expect(writing).rejects.toMatchObject({ status: 400 });
  });

  it.each(["/api", "/health", "/api/secret", "/api/secret/live"])("cannot hide %s", async (value) => {
    await using own = await startHost({ plugins: [probe] });
    const writing = own.config.write([{ path: "gateway.basePath", value }], { who: "test" });
    await expect(writing).rejects.toThrow("would hide");
  });
});

describe("the page below a base path", () => {
  it("keeps its cookie there, and at the root when it was opened there", async () => {
    const host = await page({ config: withBase("/chela") });
    expect((await host.request("/chela/", { token: null })).status).toBe(200);
    expect((await host.request("/chela/ui/logo.svg", { token: null })).status).toBe(200);
    expect((await signIn(host, { path: "/chela/api/webui/login" })).header).toContain("; Path=/chela; ");
    expect((await signIn(host)).header).toContain("; Path=/; ");
  });
});

describe("canonicalPath with a base", () => {
  it.each([
    ["/chela/v1/models/openai%2Fgpt-5", "/v1/models/openai%2Fgpt-5", "/chela", ""],
    ["/chela/a?b=/chela/c", "/a", "/chela", "?b=/chela/c"],
    ["/chela/%E4%BD%A0", "/%E4%BD%A0", "/chela", ""],
    ["/chela", "", "/chela", ""],
    ["/other/chela/a", "/other/chela/a", "", ""],
  ])("%s", (target, path, base, search) => {
    expect(canonicalPath(target, "/chela")).toEqual({ path, base, search });
  });

  it("keeps a slash in a name where names are, and nowhere else", () => {
    expect(() => canonicalPath("/chela/v1%2Fmodels/x", "/chela")).toThrow("encoded slash");
    expect(() => canonicalPath("/v1/chela/v1/models/a%2Fb", "/v1/chela")).not.toThrow();
    expect(() => canonicalPath("/chela/v1/model%2Fb", "/chela")).toThrow("encoded slash");
  });
});
