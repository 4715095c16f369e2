/** The page of the config on a real gateway: editing with help, checking, saving, what others do meanwhile, and the way back. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { barriers, isTooWide, readers, stage } from "./kit.ts";
import { pattern } from "./words.ts";

const scene = stage({ env: { CHELA_LOGGING_RETENTION_DAYS: "9" } });

const file = () => join(scene.gateway.stateDir, "config.json");
const onDisk = () => readFileSync(file(), "utf8");

async function call(method: string, params: unknown): Promise<unknown> {
  const body = JSON.stringify({ method, params });
  const reply = await scene.gateway.fetch("/api/call", {
    method: "POST",
    body,
    headers: { "content-type": "application/json" },
  });
  return reply.json();
}

/** Puts a text in place of the file, as an editor on the machine would, and waits until the gateway has taken it in. */
async function put(text: string): Promise<void> {
  writeFileSync(file(), text);
  await call("config.reload", {});
}

describe.each(readers)("$name:", ({ w, ...look }) => {
  const editorOf = (page: Page) => page.getByRole("textbox", { name: w("config.editor") });
  const review = (page: Page) => page.getByRole("button", { name: w("config.review") });
  const save = (page: Page) => page.getByRole("button", { name: w("ui.save"), exact: true });
  const differences = (page: Page) => page.getByRole("region", { name: w("editor.diff") });

  describe("the text of the config", () => {
    it("is completed from the schema, checked while it is typed, and saved after a look at what that does", async () => {
      await put("{}");
      const page = await scene.visit({ ...look, at: "#/config" });
      const editor = editorOf(page);
      await editor.fill("");
      await editor.pressSequentially('{ "logg');
      await page.getByRole("option", { name: /^logging/ }).click();
      await page.keyboard.type('"lev');
      await page.getByRole("option", { name: /^level/ }).click();
      await page.getByRole("option", { name: '"debug"', exact: true }).click();
      expect(await editor.textContent()).toContain('"level": "debug"');

      await editor.fill('{\n  // told by everyone\n  "logging": { "level": "loud", },\n}\n');
      await page
        .getByRole("list", { name: w("config.problems") })
        .getByRole("button", { name: w("config.line", { line: 3 }) })
        .waitFor();
      await page.getByText(w("config.errors", { n: 1 })).waitFor();
      await editor.fill('{\n  // told by everyone\n  "logging": { "level": "debug", },\n}\n');
      await page.getByText(w("config.plan.short.hot", { n: 1 })).waitFor();
      await page.keyboard.press("Control+s");
      await page.getByRole("dialog", { name: w("config.save.title") }).waitFor();
      await page.getByText("logging.level").waitFor();
      await differences(page).getByText('"level": "debug"').waitFor();
      expect(await barriers(page)).toEqual([]);
      await save(page).click();
      await page.getByText(w("config.result.applied")).waitFor();
      expect(onDisk()).toBe('{\n  // told by everyone\n  "logging": { "level": "debug", },\n}\n');
      await page.getByText(w("config.unchanged")).waitFor();
    });

    it("shows secrets as kept, and keeps them, and what begins the file and ends its lines", async () => {
      const house =
        '{\r\n  "models": { "providers": { "house": { "api_base": "http://127.0.0.1:9/v1", "api_key": "the-secret-of-the-house" } } }\r\n}\r\n';
      await put(`\uFEFF${house}`);
      const page = await scene.visit({ ...look, at: "#/config", dark: true });
      await page.getByText(w("config.secretKept")).waitFor();
      expect(await page.content()).not.toContain("the-secret-of-the-house");
      await editorOf(page).press("Control+Home");
      await page.keyboard.insertText("// a note\n");
      await review(page).click();
      await page.getByText(w("config.plan.nothing"), { exact: true }).waitFor();
      await save(page).click();
      await page.getByText(w("config.result.nothing")).waitFor();
      expect(onDisk()).toBe(`\uFEFF// a note\r\n${house}`);
      expect(await barriers(page)).toEqual([]);
    });

    it("that somebody else changed meanwhile is merged, with nothing typed lost by a reload of the page", async () => {
      const text = '{\n  "logging": {\n    "level": "info"\n  },\n  "workspace": {\n    "bootstrap": true\n  }\n}\n';
      await put(text);
      const page = await scene.visit({ ...look, at: "#/config" });
      const editor = editorOf(page);
      await editor.fill(text.replace('"info"', '"warn"'));
      await page.getByText(w("config.unsaved")).waitFor();
      await page.reload();
      await page.getByText(w("config.unsaved")).waitFor();
      await call("config.set", { path: "workspace.bootstrap", value: false });
      await page.getByRole("alert").getByText(w("config.overtaken")).waitFor();
      await page.getByText(w("config.overtaken.what")).click();
      await differences(page).getByText('"bootstrap": false').waitFor();
      await page.getByRole("button", { name: w("config.merge") }).click();
      await review(page).click();
      await save(page).click();
      await page.getByText(w("config.result.applied")).waitFor();
      expect(JSON.parse(onDisk())).toEqual({ logging: { level: "warn" }, workspace: { bootstrap: false } });
    });

    it("that does not parse on disk is told with its line, and repaired here", async () => {
      await put('{ "logging": { "level": "info" } }\n');
      const page = await scene.visit({ ...look, at: "#/config" });
      await editorOf(page).waitFor();
      await put('{\n  "logging": { "level" "info" }\n}\n');
      const notice = page.getByRole("alert").filter({ hasText: w("config.broken") });
      await notice.getByText(/line 2/).waitFor();
      await page.getByRole("button", { name: w("config.line", { line: 2 }) }).waitFor();
      await editorOf(page).fill('{\n  "logging": { "level": "warn" }\n}\n');
      await review(page).click();
      await save(page).click();
      await notice.waitFor({ state: "detached" });
      expect(JSON.parse(onDisk())).toEqual({ logging: { level: "warn" } });
    });
  });

  describe("the forms of the sections", () => {
    it("write what was changed and nothing else", async () => {
      await put('{\n  // kept\n  "logging": { "level": "info" }\n}\n');
      const page = await scene.visit({ ...look, at: "#/config/sections/logging" });
      await page.getByText(w("form.variable", { name: "CHELA_LOGGING_RETENTION_DAYS" })).waitFor();
      await page.getByRole("combobox", { name: "level" }).selectOption("warn");
      expect(await barriers(page)).toEqual([]);
      await save(page).click();
      await until(() => onDisk() === '{\n  // kept\n  "logging": { "level": "warn" }\n}\n');
    });
  });

  describe("whoever may only read", () => {
    it("sees the config and cannot change it", async () => {
      const { result } = (await call("keys.add", { name: `reader ${look.locale}`, scopes: ["read"] })) as {
        result: { key: string };
      };
      const page = await scene.visit({ ...look, stranger: true });
      await page.goto(`${scene.gateway.url}/?token=${result.key}#/config`);
      await page.getByText(w("config.readOnly")).waitFor();
      expect(await editorOf(page).getAttribute("aria-readonly")).toBe("true");
      expect(await review(page).count()).toBe(0);
      expect(await barriers(page)).toEqual([]);
    });
  });

  describe("earlier versions", () => {
    it("are looked at, compared and put back", async () => {
      await put('{ "logging": { "level": "info" } }\n');
      await call("config.set", { path: "logging.level", value: "error" });
      const page = await scene.visit({ ...look, at: "#/config/backups" });
      await page
        .getByRole("link", { name: w("config.backups.open") })
        .first()
        .click();
      await page.getByRole("dialog", { name: pattern(w("config.backups.title")) }).waitFor();
      await page
        .getByRole("region", { name: w("editor.diff") })
        .getByText('"level": "error"')
        .waitFor();
      expect(await barriers(page)).toEqual([]);
      await page.getByRole("button", { name: w("config.backups.restore") }).click();
      await page.getByRole("dialog", { name: w("ui.confirm") }).waitFor();
      await page
        .getByRole("button", { name: w("config.backups.restore") })
        .last()
        .click();
      await page.getByText(w("config.backups.done")).waitFor();
      await until(() => onDisk().includes('"info"'));
      expect(await isTooWide(page)).toBe(false);
    });
  });
});
