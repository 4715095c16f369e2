/** The page of the config on a real gateway: editing with help, checking, saving, what others do meanwhile, and the way back. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { barriers, stage } from "./kit.ts";

const scene = stage();

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

const editorOf = (page: Page) => page.getByRole("textbox", { name: "Text of the config file" });
const review = (page: Page) => page.getByRole("button", { name: "Review and save" });
const save = (page: Page) => page.getByRole("button", { name: "Save", exact: true });
const differences = (page: Page) => page.getByRole("region", { name: "Differences" });

describe("the text of the config", () => {
  it("is completed from the schema, checked while it is typed, and saved after a look at what that does", async () => {
    await put("{}");
    const page = await scene.visit({ at: "#/config" });
    const editor = editorOf(page);
    await editor.fill("");
    await editor.pressSequentially('{ "logg');
    await page.getByRole("option", { name: /^logging/ }).click();
    await page.keyboard.type('"lev');
    await page.getByRole("option", { name: /^level/ }).click();
    await page.getByRole("option", { name: '"debug"', exact: true }).click();
    expect(await editor.textContent()).toContain('"level": "debug"');

    await editor.fill('{\n  // told by everyone\n  "logging": { "level": "loud", },\n}\n');
    await page.getByRole("list", { name: "Problems" }).getByRole("button", { name: "Line 3" }).waitFor();
    await page.getByText("1 error").waitFor();
    await editor.fill('{\n  // told by everyone\n  "logging": { "level": "debug", },\n}\n');
    await page.getByText("1 key applies at once").waitFor();
    await page.keyboard.press("Control+s");
    await page.getByRole("dialog", { name: "Review the changes" }).waitFor();
    await page.getByText("logging.level").waitFor();
    await differences(page).getByText('"level": "debug"').waitFor();
    expect(await barriers(page)).toEqual([]);
    await save(page).click();
    await page.getByText("Applied:").waitFor();
    expect(onDisk()).toBe('{\n  // told by everyone\n  "logging": { "level": "debug", },\n}\n');
    await page.getByText("No unsaved changes").waitFor();
  });

  it("shows secrets as kept, and keeps them", async () => {
    await put(
      '{\n  "models": { "providers": { "house": { "api_base": "http://127.0.0.1:9/v1", "api_key": "the-secret-of-the-house" } } }\n}\n',
    );
    const page = await scene.visit({ at: "#/config", dark: true });
    await page.getByText("secret: kept").waitFor();
    expect(await page.content()).not.toContain("the-secret-of-the-house");
    await editorOf(page).press("Control+Home");
    await page.keyboard.insertText("// a note\n");
    await review(page).click();
    await page.getByText("Nothing that runs changes.", { exact: true }).waitFor();
    await save(page).click();
    await page.getByText("nothing that runs had to change").waitFor();
    expect(onDisk()).toContain(
      '// a note\n{\n  "models": { "providers": { "house": { "api_base": "http://127.0.0.1:9/v1", "api_key": "the-secret-of-the-house" } } }',
    );
    expect(await barriers(page)).toEqual([]);
  });

  it("that somebody else changed meanwhile is merged, with nothing typed lost by a reload of the page", async () => {
    const text = '{\n  "logging": {\n    "level": "info"\n  },\n  "workspace": {\n    "bootstrap": true\n  }\n}\n';
    await put(text);
    const page = await scene.visit({ at: "#/config" });
    const editor = editorOf(page);
    await editor.fill(text.replace('"info"', '"warn"'));
    await page.getByText("Not saved").waitFor();
    await page.reload();
    await page.getByText("Not saved").waitFor();
    await call("config.set", { path: "workspace.bootstrap", value: false });
    await page.getByRole("alert").getByText("changed elsewhere").waitFor();
    await page.getByText("What was changed").click();
    await differences(page).getByText('"bootstrap": false').waitFor();
    await page.getByRole("button", { name: "Merge" }).click();
    await review(page).click();
    await save(page).click();
    await page.getByText("Applied:").waitFor();
    expect(JSON.parse(onDisk())).toEqual({ logging: { level: "warn" }, workspace: { bootstrap: false } });
  });

  it("that does not parse on disk is told with its line, and repaired here", async () => {
    await put('{ "logging": { "level": "info" } }\n');
    const page = await scene.visit({ at: "#/config" });
    await editorOf(page).waitFor();
    await put('{\n  "logging": { "level" "info" }\n}\n');
    const notice = page.getByRole("alert").filter({ hasText: "cannot be used" });
    await notice.getByText(/line 2/).waitFor();
    await page.getByRole("button", { name: "Line 2" }).waitFor();
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
    const page = await scene.visit({ at: "#/config/sections/logging" });
    await page.getByRole("combobox", { name: "level" }).selectOption("warn");
    expect(await barriers(page)).toEqual([]);
    await save(page).click();
    await until(() => onDisk() === '{\n  // kept\n  "logging": { "level": "warn" }\n}\n');
  });
});

describe("whoever may only read", () => {
  it("sees the config and cannot change it", async () => {
    const { result } = (await call("keys.add", { name: "reader", scopes: ["read"] })) as { result: { key: string } };
    const page = await scene.visit({ stranger: true });
    await page.goto(`${scene.gateway.url}/?token=${result.key}#/config`);
    await page.getByText("Read only").waitFor();
    expect(await editorOf(page).getAttribute("aria-readonly")).toBe("true");
    expect(await review(page).count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
  });
});

describe("earlier versions", () => {
  it("are looked at, compared and put back, on a phone and in Chinese, too", async () => {
    await put('{ "logging": { "level": "info" } }\n');
    await call("config.set", { path: "logging.level", value: "error" });
    const page = await scene.visit({ at: "#/config/backups", locale: "zh-CN", phone: true });
    await page.getByRole("link", { name: "查看" }).first().click();
    await page.getByRole("dialog", { name: "的版本" }).waitFor();
    await page.getByRole("region", { name: "差异" }).getByText('"level": "error"').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "恢复此版本" }).click();
    await page.getByRole("dialog", { name: "确认" }).waitFor();
    await page.getByRole("button", { name: "恢复此版本" }).last().click();
    await page.getByText("已恢复到此版本").waitFor();
    await until(() => onDisk().includes('"info"'));
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });
});
