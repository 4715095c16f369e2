/** The navigation of the page is made from what is live and what the caller may see. */
import { definePlugin, type Panel } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import keys from "../../../plugins/keys/index.ts";
import logs from "../../../plugins/logs/index.ts";
import { page } from "./kit.ts";

const paneled = (panel: Partial<Panel>) =>
  definePlugin({
    id: "paneled",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) => ctx.panel({ id: "extra", title: "Extra", module: "/x/extra.js", access: "read", ...panel }),
  });

const ids = async (host: TestHost, token?: string) => {
  const { json } = await host.request("/api/panels", token === undefined ? {} : { token });
  return (json() as { id: string }[]).map(({ id }) => id);
};

describe("GET /api/panels", () => {
  it("lists the panels of live plugins in their order, those without one last, and follows what is switched", async () => {
    const titles = { "zh-CN": "额外", "zh-TW": "額外" };
    const host = await page({}, [logs, keys, paneled({ titles, icon: "star" })]);
    expect(await ids(host)).toEqual(["dashboard", "plugins", "config", "keys", "logs", "extra"]);
    const all = (await host.request("/api/panels")).json() as object[];
    expect(all[0]).toEqual({
      id: "dashboard",
      title: "Dashboard",
      icon: "gauge",
      module: "webui:dashboard",
      owner: "webui",
      version: "1.0.0",
      order: 20,
    });
    expect(all.at(-1)).toEqual({
      id: "extra",
      title: "Extra",
      titles,
      icon: "star",
      module: "/x/extra.js",
      owner: "paneled",
      version: "1.0.0",
    });
    await host.plugins.disable("logs", "test");
    expect(await ids(host)).toEqual(["dashboard", "plugins", "config", "keys", "extra"]);
  });

  it("shows nobody what he may not see", async () => {
    const proxy = { mode: "trusted-proxy", trustedProxy: { allowLoopback: true, scopes: ["read"] } };
    const host = await page({ config: { gateway: { auth: proxy, trustedProxies: ["127.0.0.1"] } } }, [
      keys,
      paneled({ access: "write" }),
    ]);
    const reply = await host.request("/api/panels", { token: null, headers: { "x-forwarded-user": "reader" } });
    expect((reply.json() as { id: string }[]).map(({ id }) => id)).toEqual(["dashboard", "plugins", "config"]);
    expect((await host.request("/api/panels", { token: null })).status).toBe(401);
  });
});

describe("ctx.panel", () => {
  it.each([
    "https://evil.example/x.js",
    "//evil.example/x.js",
    "x.js",
    "/",
    "/x.js?a",
    "webui:",
    "javascript:alert(1)",
    "/https://evil.example/x.js",
    "/\\\\evil.example/x.js",
    "/x/../../x.js",
    "/x/%2e%2e/x.js",
  ])("takes no module at %s", async (module) => {
    await using host = await startHost({ plugins: [paneled({ module })] });
    expect(host.plugins.info("paneled")).toMatchObject({ state: "quarantined" });
    expect(JSON.stringify(host.plugins.info("paneled"))).toContain("it is a path such as");
  });

  it.each(["Big", "a/b", "a.b", "", "9x"])("takes no id %j: an element of the page is named after it", async (id) => {
    await using host = await startHost({ plugins: [paneled({ id })] });
    expect(host.plugins.info("paneled")).toMatchObject({ state: "quarantined" });
    expect(JSON.stringify(host.plugins.info("paneled"))).toContain("small letters");
  });
});
