/** Hostile content in everything that a page shows is text: nothing of it runs, loads, or breaks the page. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { makeTempDir } from "../kit/temp.ts";
import { barriers, stage, wholeText } from "./kit.ts";

const scene = stage();
const { call } = scene;

const script = `<script>globalThis.owned=1</script><img src=x onerror="globalThis.owned=1"><svg onload="globalThis.owned=1">`;
const link = `[click](javascript:globalThis.owned=1) ![i](https://evil.example/beacon.png) <a href="javascript:globalThis.owned=1">a</a>`;
const controls = "\u001b[31mred\u001b]8;;https://evil.example\u0007\u202egnp.exe\u2066\u0000\u0008";
const long = "x".repeat(200_000);
const evil = `${script}${link}${controls}`;

async function post(path: string, body: unknown): Promise<void> {
  const response = await scene.gateway.fetch(path, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
}

/** A plugin whose every word is hostile. */
function plugin(): string {
  const { path } = makeTempDir("hostile-plugin");
  mkdirSync(path, { recursive: true });
  const manifest = {
    name: "evil",
    version: "1.0.0",
    type: "module",
    exports: "./index.js",
    peerDependencies: { "@chela/sdk": "^1.0.0" },
    chela: { id: "evil", host: "^1.0.0" },
  };
  writeFileSync(join(path, "package.json"), JSON.stringify(manifest));
  const about = JSON.stringify(`${evil}${long.slice(0, 20_000)}`);
  writeFileSync(
    join(path, "index.js"),
    `import { definePlugin, Type } from "@chela/sdk";
const about = ${about};
export default definePlugin({
  id: "evil", version: "1.0.0", host: "^1.0.0", about,
  config: Type.Object({ word: Type.String({ default: about, description: about, title: about }) }),
  setup(ctx) {
    ctx.panel({ id: "evil", title: about, icon: about.slice(0, 60), module: "/evil/none.js", access: "read" });
    ctx.tool({ name: "evil", about, input: Type.Object({}), risk: "read", access: "read", run: () => about });
    ctx.health(about.slice(0, 300), () => ({ ok: false, reason: about }));
    ctx.log.error({ about: about.slice(0, 2000) }, about.slice(0, 2000));
  },
});
`,
  );
  return path;
}

beforeAll(async () => {
  await call("plugins.install", { source: plugin() });
  await post("/api/chat", { session: "main", message: `/echo ${evil}` });
  await post("/api/chat", { session: "main", message: `/echo ${long}` });
  await post("/api/chat", { session: "main", message: "/tool evil {}" });
  await call("sessions.title", { key: "main", title: `${evil}`.slice(0, 1900) });
  await call("keys.add", { name: script.slice(0, 64), scopes: ["read"] });
  await call("mcp.add", { name: "evil", server: { command: "no-such", description: `${evil}${long}` } });
  await post("/api/workspace_file", { path: "memory/evil.md", content: `# ${evil}\n\n${long}` });
  await call("config.set", {
    path: `models.providers.evil`,
    value: { api_base: "http://127.0.0.1:9/v1", models: [script] },
  });
}, 60_000);

/** Everything the page asked for that is not the gateway's. */
function strangers(page: Page): string[] {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(scene.gateway.url) && !/^(blob|data):/.test(request.url())) asked.push(request.url());
  });
  page.on("dialog", (dialog) => asked.push(`dialog ${dialog.message()}`));
  return asked;
}

const owned = (page: Page) => page.evaluate(() => "owned" in globalThis);

describe("hostile content", () => {
  it.each(["chat/main", "dashboard", "providers", "mcp", "files", "plugins", "plugins/evil", "config", "keys", "logs"])(
    "is inert on %s",
    async (where) => {
      const page = await scene.visit({ allow: /Failed to load resource/ });
      const asked = strangers(page);
      await page.evaluate((hash) => {
        location.hash = hash;
      }, `#/${where}`);
      await page.getByRole("heading", { level: 1 }).first().waitFor();
      await page.waitForLoadState("networkidle");
      expect(await owned(page)).toBe(false);
      expect(asked).toEqual([]);
      const text = await wholeText(page);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(text.match(/[\u0000\u0007\u0008\u001b]/g)).toBe(null);
      expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
      expect((await barriers(page)).filter((what) => !what.startsWith("color-contrast"))).toEqual([]);
    },
  );

  it("in a panel that does not load stays in that panel", async () => {
    const page = await scene.visit({ at: "#/evil", allow: /Failed to (load resource|fetch)|MIME/ });
    await page.getByText("This page failed to load").waitFor();
    expect(await owned(page)).toBe(false);
    await page.getByRole("navigation").getByRole("link", { name: "Keys" }).click();
    await page.getByRole("heading", { level: 1, name: "Keys" }).waitFor();
  });
});
