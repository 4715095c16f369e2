/** The page of plugins: the list, one plugin, its settings as a form, installing and removing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { create } from "tar";
import { describe, expect, it } from "vitest";
import { root } from "../kit/sources.ts";
import { tempDir } from "../kit/temp.ts";
import { barriers, dialog, stage, wholeText } from "./kit.ts";

const scene = stage();
const fixture = (id: string) => join(root, "test/fixtures/plugins", id);

async function call<T>(method: string, params: object = {}): Promise<T> {
  const response = await scene.gateway.fetch("/api/call", { method: "POST", body: JSON.stringify({ method, params }) });
  return ((await response.json()) as { result: T }).result;
}

const card = (page: Page, id: string) =>
  page.locator("plugin-card").filter({ has: page.getByRole("heading", { name: new RegExp(`^${id}\\b`) }) });
const told = (page: Page, text: string | RegExp) => page.locator("ui-toasts").getByText(text);
const written = () =>
  JSON.parse(readFileSync(join(scene.gateway.stateDir, "config.json"), "utf8")).plugins?.entries?.pages?.config;

describe("the list", () => {
  it("finds plugins, switches them, and warns before what hurts", async () => {
    const page = await scene.visit({ at: "#/plugins", dark: true });
    await card(page, "store").getByText("critical").waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("searchbox", { name: "Search plugins" }).fill("prometheus");
    await expect.poll(() => page.locator("plugin-card").count()).toBe(1);
    await card(page, "metrics").getByRole("switch").click();
    await told(page, "metrics is switched off.").waitFor();
    await card(page, "metrics").getByText("off", { exact: true }).waitFor();
    await page.getByRole("combobox", { name: "Show" }).selectOption({ label: "Switched off (1)" });
    expect(page.url()).toContain("show=off");
    await card(page, "metrics").getByRole("switch", { name: "metrics enabled" }).click();
    await told(page, "metrics is switched on.").waitFor();
    await page.getByText("No plugin matches.").waitFor();
    await page.getByRole("link", { name: "Show all" }).click();
    await page.getByRole("searchbox").fill("");

    await card(page, "store").getByRole("switch").click();
    const asked = dialog(page, "Switch off store?");
    await asked.getByText(/store is critical.*These plugins need it and wait until it is back: .*chat/).waitFor();
    expect(await barriers(page)).toEqual([]);
    await asked.getByRole("button", { name: "Cancel" }).click();
    await card(page, "webui").getByRole("switch").click();
    await dialog(page, "Switch off webui?").getByText("chela plugins enable webui").waitFor();
    await page.keyboard.press("Escape");
    expect(await call<{ state: string }>("plugins.info", { id: "webui" })).toMatchObject({ state: "running" });
  });

  it("fits a phone, in Chinese", async () => {
    const page = await scene.visit({ at: "#/plugins", phone: true, locale: "zh-CN" });
    await page.getByRole("heading", { level: 1, name: "插件" }).waitFor();
    await card(page, "chat").getByText("运行中").waitFor();
    const isWide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(await isWide()).toBe(false);
    await card(page, "chat").getByRole("link").click();
    await page.getByRole("link", { name: "设置" }).click();
    await page.getByText("defaults", { exact: true }).click();
    await page.getByLabel("max_tool_iterations").waitFor();
    expect(await isWide()).toBe(false);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("link", { name: "提供的内容" }).click();
    await page.getByRole("heading", { name: "HTTP 路由" }).waitFor();
    expect(await barriers(page)).toEqual([]);
  });
});

describe("installing", () => {
  it("takes a folder and a dropped file, tells what fails, and removes again", async () => {
    const page = await scene.visit({ at: "#/plugins", allow: /status of 4\d\d/ });
    await page.getByRole("button", { name: "Install a plugin" }).click();
    const install = dialog(page, "Install a plugin");
    const source = install.getByLabel("npm name or folder");
    await source.fill(fixture("nowhere"));
    expect(await barriers(page)).toEqual([]);
    await install.getByRole("button", { name: "Install", exact: true }).click();
    await install
      .getByRole("alert")
      .getByText(/nowhere/)
      .waitFor();

    await source.fill(fixture("throws-in-setup"));
    await page.keyboard.press("Enter");
    await install.getByText("Checking, compiling, installing dependencies…").waitFor();
    await install.getByText(/the fuse is blown/).waitFor();
    await install.getByRole("button", { name: "Install another" }).click();

    const file = join(tempDir("tgz"), "good-1.0.0.tgz");
    await create({ gzip: true, file, cwd: fixture("good"), prefix: "package" }, ["."]);
    await install.locator("input[type=file]").setInputFiles(file);
    await install.getByText("good 1.0.0 is installed.").waitFor();
    await install.getByRole("link", { name: "Open good" }).click();
    await page.getByRole("heading", { level: 1, name: "good" }).waitFor();
    await page.getByRole("button", { name: "Uninstall" }).click();
    await dialog(page, "Uninstall good?").getByRole("button", { name: "Uninstall" }).click();
    await told(page, "good was uninstalled.").waitFor();

    await card(page, "throws-in-setup")
      .getByText(/the fuse is blown/)
      .waitFor();
    await card(page, "throws-in-setup").getByRole("button", { name: "Release" }).click();
    await told(page, /throws-in-setup: .*the fuse is blown/).waitFor();
    await call("plugins.uninstall", { id: "throws-in-setup" });
    await expect.poll(() => card(page, "throws-in-setup").count()).toBe(0);
  });
});

describe("settings", () => {
  it("are a form of the schema that checks, keeps secrets, shows what restarts, and writes only what changed", async () => {
    await call("plugins.install", { source: fixture("pages") });
    const page = await scene.visit({ at: "#/plugins/pages?tab=settings", allow: /status of 400/ });
    const about = "Pages, <b>most</b> of which fail U+202Elive";
    await page.locator("plugin-detail").getByText(about, { exact: true }).waitFor();
    const save = page.getByRole("button", { name: "Save" });
    const greeting = page.getByLabel("greeting", { exact: true });
    await greeting.fill("x");
    await page.getByText("At least 2 characters.").waitFor();
    await expect.poll(() => save.isDisabled()).toBe(true);
    await greeting.fill("Boo");
    await save.click();
    await page.getByText("must be friendly", { exact: true }).waitFor();
    await greeting.fill("Hi");
    await page.getByText("labels", { exact: true }).click();
    await page.getByLabel("New entry in labels").fill("colour");
    await page.keyboard.press("Enter");
    await page.getByLabel("colour", { exact: true }).fill("red");
    await save.click();
    await told(page, "Saved.").waitFor();
    expect(written()).toEqual({ greeting: "Hi", labels: { colour: "red" } });

    await page.getByLabel("times", { exact: true }).fill("11");
    await page.getByText("At most 9.").waitFor();
    await page.getByLabel("times", { exact: true }).fill("3");
    await page.getByLabel("password", { exact: true }).fill("canary-5d1e");
    await page.getByLabel("tone", { exact: true }).selectOption("loud");
    await page.getByRole("button", { name: "Add to friends" }).click();
    await page.getByLabel("name", { exact: true }).fill("Ada");
    await page.getByLabel("key", { exact: true }).fill("canary-77aa");
    await page.getByLabel("when", { exact: true }).selectOption({ label: "Object: hour" });
    await page.getByLabel("extra", { exact: true }).fill('{"a":');
    await page.getByText("This is not valid JSON.").waitFor();
    await page.getByLabel("extra", { exact: true }).fill('{"a": 1}');
    expect(await barriers(page)).toEqual([]);
    await save.click();
    const plan = dialog(page, "Save and restart?");
    await plan.getByText(/The plugin pages/).waitFor();
    expect(await barriers(page)).toEqual([]);
    await plan.getByRole("button", { name: "Save" }).click();
    await told(page, /Restarted: pages/).waitFor();
    const all = { greeting: "Hi", labels: { colour: "red" }, times: 3, tone: "loud", extra: { a: 1 } };
    const friends = [{ name: "Ada", key: "canary-77aa" }];
    expect(written()).toEqual({ ...all, password: "canary-5d1e", friends, when: { hour: 8 } });
    expect(await wholeText(page)).not.toContain("canary-");

    await page.getByRole("button", { name: "Reset times to its default" }).click();
    await page.getByRole("button", { name: "Add to friends" }).click();
    await page.getByRole("button", { name: "Clear", exact: true }).first().click();
    await page.getByText("4 changes").or(page.getByText("3 changes")).waitFor();
    await save.click();
    await plan.getByRole("button", { name: "Save" }).click();
    await expect.poll(() => written().friends.length, { timeout: 10_000 }).toBe(2);
    const { times: _, ...rest } = all;
    expect(written()).toEqual({ ...rest, friends: [...friends, {}], when: { hour: 8 } });
  });

  it("keep what was typed while the config changes, the plugin is off and the gateway restarts", async () => {
    const page = await scene.visit({
      at: "#/plugins/sentinel?tab=settings",
      allow: /WebSocket|ERR_CONNECTION|Failed to load resource/,
    });
    const field = page.getByLabel("webhook_url", { exact: true });
    await field.fill("https://half");
    await call("config.set", { path: "sentinel.interval_sec", value: 77 });
    await expect
      .poll(() => page.getByLabel("interval_sec", { exact: true }).inputValue(), { timeout: 10_000 })
      .toBe("77");
    await call("plugins.disable", { id: "sentinel" });
    await page.getByRole("button", { name: "Enable" }).waitFor();
    await scene.stop();
    await scene.startAgain();
    await call("plugins.enable", { id: "sentinel" });
    await page.getByRole("button", { name: "Disable" }).waitFor();
    expect(await field.inputValue()).toBe("https://half");
    await page.getByText("1 change").waitFor();
  });
});
