/** Pages that plugins bring: what a good one gets, and that a bad one harms nothing but itself. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { fences } from "../kit/fences.ts";
import { runCli } from "../kit/run-cli.ts";
import { root } from "../kit/sources.ts";
import { makeTempDir, tempDir, writeTree } from "../kit/temp.ts";
import { barriers, type Reader, readers, stage } from "./kit.ts";
import { pattern } from "./words.ts";

const scene = stage();
const { w } = readers[0] as Reader;
const fixture = join(root, "test/fixtures/plugins/pages");

async function call(method: string, params: object): Promise<void> {
  const response = await scene.gateway.fetch("/api/call", { method: "POST", body: JSON.stringify({ method, params }) });
  expect(await response.json()).toMatchObject({ ok: true });
}

const go = (page: Page, hash: string) => page.evaluate((to) => location.assign(to), hash);
const link = (page: Page, name: string) => page.getByRole("navigation").getByRole("link", { name, exact: true });

beforeAll(() => call("plugins.install", { source: fixture }));

describe("a page of a plugin", () => {
  it("speaks with the gateway, hears events, keeps to the language, and is left and found again", async () => {
    const page = await scene.visit({ at: "#/good/here" });
    await page.getByRole("heading", { level: 1, name: "A good page" }).waitFor();
    await page.getByText("Hello, Ada!").waitFor();
    await page.getByText("Echo 1.").waitFor();
    await page.getByRole("button", { name: "Ring" }).click();
    await page.getByText("Bo rang.").waitFor();
    await page.getByRole("button", { name: "Tell" }).click();
    await page.getByText("en light true").waitFor();
    await page.getByRole("button", { name: "Elsewhere" }).click();
    await page.getByText("not an address of this gateway").waitFor();
    expect(await page.locator("chela-panel-good").getAttribute("title")).toBe("here");
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel("Note").fill("half a thought");
    await link(page, "Page second").click();
    await page.getByText("The second page of pages").waitFor();
    await page.getByLabel(w("app.language")).selectOption("zh-CN");
    await link(page, "页面 good").click();
    await page.getByRole("heading", { level: 1, name: "好页面" }).waitFor();
    expect(await page.getByLabel("Note").inputValue()).toBe("half a thought");
  });

  it("waits, with what was typed, while its plugin is off, and says when there is a new version", async () => {
    const page = await scene.visit({ at: "#/good", allow: /WebSocket/ });
    await page.getByLabel("Note").fill("half a thought");
    await call("plugins.disable", { id: "pages" });
    await page.getByText(w("app.panelGone")).waitFor();
    expect(await link(page, "Page good").count()).toBe(0);
    await call("plugins.enable", { id: "pages" });
    await link(page, "Page good").waitFor();
    await expect.poll(() => page.getByLabel("Note").isVisible()).toBe(true);
    expect(await page.getByLabel("Note").inputValue()).toBe("half a thought");

    const { path, remove } = makeTempDir("pages");
    cpSync(fixture, path, { recursive: true });
    const json = readFileSync(join(path, "package.json"), "utf8").replace('"version": "1.0.0"', '"version": "1.1.0"');
    writeFileSync(join(path, "package.json"), json);
    writeFileSync(
      join(path, "pages/second.js"),
      `${readFileSync(join(path, "pages/second.js"), "utf8").replace("The second", "Another")}`,
    );
    await call("plugins.install", { source: path });
    remove();
    await page.getByText(w("app.panelNew", { plugin: "pages", version: "1.1.0" })).waitFor();
    expect(await page.getByLabel("Note").inputValue()).toBe("half a thought");
    await go(page, "#/second");
    await page.getByText("Another page of pages").waitFor();
    await go(page, "#/good");
    await page.getByRole("button", { name: w("app.panelNew.go") }).click();
    await expect
      .poll(() =>
        page
          .getByLabel("Note")
          .inputValue()
          .catch(() => "loading"),
      )
      .toBe("");
    expect(await page.getByText(pattern(w("app.panelNew"))).count()).toBe(0);
  });
});

describe("the example of the guide", () => {
  it("counts, for everybody who looks, also beside what plugins new writes", async () => {
    const folder = tempDir("counter");
    await runCli(["plugins", "new", "counter"], { cwd: folder });
    const guide = fences(readFileSync(join(root, "docs/plugins.md"), "utf8"));
    const files = guide.filter(({ info }) => info.file?.startsWith("counter/"));
    writeTree(folder, Object.fromEntries(files.map(({ info, text }) => [info.file as string, text])));
    await runCli(["plugins", "new", "weather"], { cwd: folder });
    await Promise.all(["counter", "weather"].map((name) => call("plugins.install", { source: join(folder, name) })));
    const page = await scene.visit({ at: "#/counter", phone: true });
    const other = await scene.visit({ at: "#/counter", locale: "zh-CN", dark: true });
    await page.getByRole("button", { name: "One more" }).click();
    await page.getByText("1", { exact: true }).waitFor();
    await other.getByRole("button", { name: "加一" }).click();
    await page.getByText("2", { exact: true }).waitFor();
    expect(await barriers(other)).toEqual([]);
    await go(other, "#/weather");
    await other.getByLabel("名字").fill("Ada");
    await other.getByRole("button", { name: "打招呼" }).click();
    await other.getByRole("status").getByText("Hello, Ada!").waitFor();
    expect(await barriers(other)).toEqual([]);
  });
});

describe.each(readers)("a page that fails, $name,", ({ w, ...look }) => {
  it("shows its error, tries again when told to, and leaves the others alone", async () => {
    const failures: readonly (readonly [id: string, message: string])[] = [
      ["import", "no luck with the import"],
      ["constructor", "no luck with the constructor"],
      ["connected", "no luck with the render"],
      ["nothing", w("app.panelNothing", { module: "/pages/nothing.js", name: "chela-panel-nothing" })],
      ["missing", "Failed to fetch dynamically imported module"],
    ];
    const page = await scene.visit({ ...look, at: "#/second", allow: /no luck|404/ });
    for (const [id, message] of failures) {
      await go(page, `#/${id}`);
      await page.getByRole("alert").getByText(message).waitFor();
      await page.getByRole("button", { name: new RegExp(`^(${w("ui.retry")}|${w("app.panelFault.again")})$`) }).click();
      await page.getByRole("alert").getByText(message).waitFor();
      await go(page, "#/second");
      await page.getByText(/page of pages/).waitFor();
    }
    await go(page, "#/import");
    await page.getByRole("heading", { level: 1, name: w("app.panelFailed") }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await go(page, "#/later");
    await page.getByRole("button", { name: "Break" }).click();
    await page.getByRole("alert").getByText("no luck with the click").waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: w("ui.dismiss") }).click();
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
    await page.getByRole("button", { name: "Break" }).waitFor();
  });
});

describe("a page that does not come", () => {
  it("never coming is given up", async () => {
    const page = await scene.visit({ at: "#/second" });
    await page.getByText(/page of pages/).waitFor();
    await page.clock.install();
    await go(page, "#/never");
    await page.getByRole("main").getByText(w("app.loading")).waitFor();
    await page.clock.fastForward(16_000);
    await page.getByText(w("app.panelLate", { module: "/pages/never.js", n: 15 })).waitFor();
  });

  it("is never loaded from anywhere but this gateway", async () => {
    const page = await scene.visit({ at: "#/logs", allow: /404/ });
    await link(page, w("nav.logs")).waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const modules = [
      "https://evil.example/x.js",
      "//evil.example/x.js",
      "/https://evil.example/x.js",
      "/\\\\evil.example/x.js",
    ];
    const rows = modules.map((module, index) => ({
      id: `evil-${index}`,
      title: "Evil",
      icon: "x",
      module,
      owner: "evil",
      version: "1.0.0",
    }));
    await page.route("**/api/panels", (route) => route.fulfill({ json: rows }));
    await page.reload();
    for (const { id } of rows) {
      await go(page, `#/${id}`);
      await page.getByRole("alert").getByText("evil.example").waitFor();
    }
    expect(asked.filter((url) => !url.startsWith(scene.gateway.url))).toEqual([]);
  });
});
