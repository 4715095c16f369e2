/** The page of plugins: the list, one plugin, its settings as a form, installing and removing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { create } from "tar";
import { describe, expect, it } from "vitest";
import { root } from "../kit/sources.ts";
import { tempDir } from "../kit/temp.ts";
import { barriers, dialog, isTooWide, readers, stage, wholeText } from "./kit.ts";
import { pattern } from "./words.ts";

const scene = stage();
const { call } = scene;
const fixture = (id: string) => join(root, "test/fixtures/plugins", id);

const card = (page: Page, id: string) =>
  page.locator("plugin-card").filter({ has: page.getByRole("heading", { name: new RegExp(`^${id}\\b`) }) });
const told = (page: Page, text: string | RegExp) => page.locator("ui-toasts").getByText(text);
const written = () =>
  JSON.parse(readFileSync(join(scene.gateway.stateDir, "config.json"), "utf8")).plugins?.entries?.pages?.config;

describe.each(readers)("$name:", ({ w, ...look }) => {
  describe("the list", () => {
    it("finds plugins, switches them, and warns before what hurts", async () => {
      const page = await scene.visit({ ...look, at: "#/plugins", dark: true });
      await card(page, "store").getByText(w("plugins.critical")).waitFor();
      expect(await barriers(page)).toEqual([]);
      await page.getByRole("searchbox", { name: w("plugins.search") }).fill("prometheus");
      await expect.poll(() => page.locator("plugin-card").count()).toBe(1);
      await card(page, "metrics").getByRole("switch").click();
      await told(page, w("plugins.done.disable", { id: "metrics" })).waitFor();
      await card(page, "metrics").getByText(w("plugins.state.disabled"), { exact: true }).waitFor();
      await page
        .getByRole("combobox", { name: w("plugins.show") })
        .selectOption({ label: w("plugins.show.off", { n: 1 }) });
      expect(page.url()).toContain("show=off");
      await card(page, "metrics")
        .getByRole("switch", { name: w("plugins.switch", { id: "metrics" }) })
        .click();
      await told(page, w("plugins.done.enable", { id: "metrics" })).waitFor();
      await page.getByText(w("plugins.none")).waitFor();
      await page.getByRole("link", { name: w("plugins.none.clear") }).click();
      await page.getByRole("searchbox").fill("");

      await card(page, "store").getByRole("switch").click();
      const asked = dialog(page, w("plugins.ask.disable", { id: "store" }));
      await asked
        .getByText(
          pattern(w("plugins.ask.critical", { id: "store" }), w("plugins.ask.users", { list: "{list}chat{list}" })),
        )
        .waitFor();
      expect(await barriers(page)).toEqual([]);
      await asked.getByRole("button", { name: w("ui.cancel") }).click();
      await card(page, "webui").getByRole("switch").click();
      await dialog(page, w("plugins.ask.disable", { id: "webui" }))
        .getByText(w("plugins.ask.webui"))
        .waitFor();
      await page.keyboard.press("Escape");
      expect(await call<{ state: string }>("plugins.info", { id: "webui" })).toMatchObject({ state: "running" });
    });

    it("shows the settings of one, and what it brings", async () => {
      const page = await scene.visit({ ...look, at: "#/plugins" });
      await page.getByRole("heading", { level: 1, name: w("plugins.title") }).waitFor();
      await card(page, "chat").getByText(w("plugins.state.running")).waitFor();
      expect(await isTooWide(page)).toBe(false);
      await card(page, "chat").getByRole("link").click();
      await page.getByRole("link", { name: w("plugins.tab.settings") }).click();
      await page.getByText("defaults", { exact: true }).click();
      await page.getByLabel("max_tool_iterations").waitFor();
      expect(await isTooWide(page)).toBe(false);
      expect(await barriers(page)).toEqual([]);
      await page.getByRole("link", { name: w("plugins.tab.contributions") }).click();
      await page.getByRole("heading", { name: w("plugins.c.routes") }).waitFor();
      expect(await barriers(page)).toEqual([]);
    });
  });

  describe("installing", () => {
    it("takes a folder and a dropped file, tells what fails, and removes again", async () => {
      const page = await scene.visit({ ...look, at: "#/plugins", allow: /status of 4\d\d/ });
      await page.getByRole("button", { name: w("plugins.install") }).click();
      const install = dialog(page, w("plugins.install"));
      const source = install.getByLabel(w("plugins.install.source"));
      await source.fill(fixture("nowhere"));
      expect(await barriers(page)).toEqual([]);
      await install.getByRole("button", { name: w("plugins.install.go"), exact: true }).click();
      await install
        .getByRole("alert")
        .getByText(/nowhere/)
        .waitFor();

      await source.fill(fixture("throws-in-setup"));
      await page.keyboard.press("Enter");
      await install.getByText(w("plugins.install.step.checking")).waitFor();
      await install.getByText(/the fuse is blown/).waitFor();
      await install.getByRole("button", { name: w("plugins.install.again") }).click();

      const file = join(tempDir("tgz"), "good-1.0.0.tgz");
      await create({ gzip: true, file, cwd: fixture("good"), prefix: "package" }, ["."]);
      await install.locator("input[type=file]").setInputFiles(file);
      await install.getByText(w("plugins.done.install", { id: "good", version: "1.0.0" })).waitFor();
      await install.getByRole("link", { name: w("plugins.install.open", { id: "good" }) }).click();
      await page.getByRole("heading", { level: 1, name: "good" }).waitFor();
      await page.getByRole("button", { name: w("plugins.uninstall") }).click();
      await dialog(page, w("plugins.ask.uninstall", { id: "good" }))
        .getByRole("button", { name: w("plugins.uninstall") })
        .click();
      await told(page, w("plugins.done.uninstall", { id: "good" })).waitFor();

      await card(page, "throws-in-setup")
        .getByText(/the fuse is blown/)
        .waitFor();
      await card(page, "throws-in-setup")
        .getByRole("button", { name: w("plugins.release") })
        .click();
      await told(page, /throws-in-setup: .*the fuse is blown/).waitFor();
      await call("plugins.uninstall", { id: "throws-in-setup" });
      await expect.poll(() => card(page, "throws-in-setup").count()).toBe(0);
    });
  });

  describe("settings", () => {
    it("are a form of the schema that checks, keeps secrets, shows what restarts, and writes only what changed", async () => {
      await call("plugins.install", { source: fixture("pages") });
      const page = await scene.visit({ ...look, at: "#/plugins/pages?tab=settings", allow: /status of 400/ });
      const about = "Pages, <b>most</b> of which fail U+202Elive";
      await page.locator("plugin-detail").getByText(about, { exact: true }).waitFor();
      const save = page.getByRole("button", { name: w("form.plan.go"), exact: true });
      const greeting = page.getByLabel("greeting", { exact: true });
      await greeting.fill("x");
      await page.getByText(w("form.rule.minLength", { n: 2 })).waitFor();
      await expect.poll(() => save.isDisabled()).toBe(true);
      await greeting.fill("Boo");
      await save.click();
      await page.getByText("must be friendly", { exact: true }).waitFor();
      await greeting.fill("Hi");
      await page.getByText("labels", { exact: true }).click();
      await page.getByLabel(w("form.newKey", { key: "labels" })).fill("colour");
      await page.keyboard.press("Enter");
      await page.getByLabel("colour", { exact: true }).fill("red");
      await save.click();
      await told(page, w("form.saved")).waitFor();
      expect(written()).toEqual({ greeting: "Hi", labels: { colour: "red" } });

      await page.getByLabel("times", { exact: true }).fill("11");
      await page.getByText(w("form.rule.maximum", { n: 9 })).waitFor();
      await page.getByLabel("times", { exact: true }).fill("3");
      await page.getByLabel("password", { exact: true }).fill("canary-5d1e");
      await page.getByLabel("tone", { exact: true }).selectOption("loud");
      await page.getByRole("button", { name: w("form.addTo", { key: "friends" }) }).click();
      await page.getByLabel("name", { exact: true }).fill("Ada");
      await page.getByLabel("key", { exact: true }).fill("canary-77aa");
      await page.getByLabel("when", { exact: true }).selectOption({ label: `${w("form.type.object")}: hour` });
      await page.getByLabel("extra", { exact: true }).fill('{"a":');
      await page.getByText(w("form.rule.json")).waitFor();
      await page.getByLabel("extra", { exact: true }).fill('{"a": 1}');
      expect(await barriers(page)).toEqual([]);
      await save.click();
      const plan = dialog(page, w("form.plan.title"));
      await plan.getByText(w("form.plan.plugin", { id: "pages" })).waitFor();
      expect(await barriers(page)).toEqual([]);
      await plan.getByRole("button", { name: w("form.plan.go") }).click();
      await told(page, w("form.change.restarted", { list: "pages" })).waitFor();
      const all = { greeting: "Hi", labels: { colour: "red" }, times: 3, tone: "loud", extra: { a: 1 } };
      const friends = [{ name: "Ada", key: "canary-77aa" }];
      expect(written()).toEqual({ ...all, password: "canary-5d1e", friends, when: { hour: 8 } });
      expect(await wholeText(page)).not.toContain("canary-");

      await page.getByRole("button", { name: w("form.reset", { key: "times" }) }).click();
      await page.getByRole("button", { name: w("form.addTo", { key: "friends" }) }).click();
      await page
        .getByRole("button", { name: w("form.secret.clear"), exact: true })
        .first()
        .click();
      await page
        .getByText(w("form.changes", { n: 4 }))
        .or(page.getByText(w("form.changes", { n: 3 })))
        .waitFor();
      await save.click();
      await plan.getByRole("button", { name: w("form.plan.go") }).click();
      await expect.poll(() => written().friends.length, { timeout: 10_000 }).toBe(2);
      const { times: _, ...rest } = all;
      expect(written()).toEqual({ ...rest, friends: [...friends, {}], when: { hour: 8 } });
      await page.close();
      await call("plugins.uninstall", { id: "pages" });
      await call("config.unset", { path: "plugins.entries.pages" });
    });

    it("keep what was typed while the config changes, the plugin is off and the gateway restarts", async () => {
      const page = await scene.visit({
        ...look,
        at: "#/plugins/sentinel?tab=settings",
        allow: /WebSocket|ERR_CONNECTION|Failed to load resource/,
      });
      const seconds = look.phone ? 78 : 77;
      const field = page.getByLabel("webhook_url", { exact: true });
      await field.fill("https://half");
      await call("config.set", { path: "sentinel.interval_sec", value: seconds });
      await expect
        .poll(() => page.getByLabel("interval_sec", { exact: true }).inputValue(), { timeout: 10_000 })
        .toBe(String(seconds));
      await call("plugins.disable", { id: "sentinel" });
      await page.getByRole("button", { name: w("plugins.enable") }).waitFor();
      await scene.stop();
      await scene.startAgain();
      await call("plugins.enable", { id: "sentinel" });
      await page.getByRole("button", { name: w("plugins.disable") }).waitFor();
      expect(await field.inputValue()).toBe("https://half");
      await page.getByText(w("form.changes", { n: 1 })).waitFor();
    });
  });
});
