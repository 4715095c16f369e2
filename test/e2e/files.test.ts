/** The page of the files on a real gateway: the workspace with its memory, what others write meanwhile, and the uploads. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { barriers, stage } from "./kit.ts";

const scene = stage();

const place = (path: string) => join(scene.gateway.stateDir, "workspace", path);
const onDisk = (path: string) => readFileSync(place(path), "utf8");

function put(path: string, text: string): void {
  mkdirSync(dirname(place(path)), { recursive: true });
  writeFileSync(place(path), text);
}

const editorOf = (page: Page, path: string) => page.getByRole("textbox", { name: `Text of ${path}` });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

describe("the files of the workspace", () => {
  it("are found, read, written, looked at, renamed and deleted", async () => {
    put(
      "memory/\u202egnp<img src=x onerror=alert(1)>.md",
      "\u001b[31mred\u001b[0m <script>alert(1)</script>\u2067 right",
    );
    put("memory/plans.md", "# Plans\n\nThe heron nests on the north pier.\n");
    const page = await scene.visit({ at: "#/files" });
    const files = page.getByRole("region", { name: "Files of the workspace" });
    await files.getByRole("link", { name: /U\+202E/ }).click();
    await page.getByRole("heading", { name: /U\+202E.*<img/ }).waitFor();
    await button(page, "Preview").click();
    await page.getByRole("region", { name: "Preview" }).getByText("red").waitFor();
    await files.getByRole("searchbox").fill("heron");
    await files
      .getByRole("link", { name: /plans\.md/ })
      .filter({ hasText: "north pier" })
      .click();
    const editor = editorOf(page, "memory/plans.md");
    await editor.press("Control+End");
    await page.keyboard.insertText("- **watch** <img src=x onerror=alert(1)>\n");
    await button(page, "Preview").click();
    await page.getByRole("region", { name: "Preview" }).locator("strong", { hasText: "watch" }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await button(page, "Edit").click();
    await editor.press("Control+s");
    await until(() => onDisk("memory/plans.md").includes("**watch**"));

    await button(page, "Rename").click();
    await page.getByRole("textbox", { name: "Path below the workspace" }).fill("memory/birds.md");
    await button(page, "Rename").last().click();
    await editorOf(page, "memory/birds.md").waitFor();
    await until(() => existsSync(place("memory/birds.md")) && !existsSync(place("memory/plans.md")));
    await button(page, "Delete").click();
    await button(page, "Delete").last().click();
    await page.getByText("Choose a file").waitFor();
    expect(existsSync(place("memory/birds.md"))).toBe(false);
  });

  it("that others write and delete meanwhile are told; what was typed stays, over a reload of the page, too", async () => {
    const page = await scene.visit({ at: "#/files" });
    await button(page, "New file").click();
    await page.getByRole("textbox", { name: "Path below the workspace" }).fill("../out.md");
    await page.getByText("Not a path below the workspace").waitFor();
    await page.getByRole("textbox", { name: "Path below the workspace" }).fill("memory/new.md");
    await button(page, "Write it").click();
    const editor = editorOf(page, "memory/new.md");
    await editor.fill("one\ntwo\nthree\n");
    await page.reload();
    await page.getByRole("link", { name: /new\.md.*Not saved/ }).waitFor();
    await button(page, "Save").click();
    await until(() => existsSync(place("memory/new.md")));

    await editor.fill("one\ntwo\nthree of mine\n");
    put("memory/new.md", "one of theirs\ntwo\nthree\n");
    const notice = page.getByRole("alert").filter({ hasText: "changed by somebody else" });
    await notice.waitFor();
    expect(await barriers(page)).toEqual([]);
    await button(page, "Merge").click();
    await button(page, "Save").click();
    await until(() => onDisk("memory/new.md") === "one of theirs\ntwo\nthree of mine\n");

    await editor.fill("all mine\n");
    rmSync(place("memory/new.md"));
    await page.getByRole("alert").filter({ hasText: "deleted by somebody else" }).waitFor();
    await button(page, "Save mine").click();
    await until(() => existsSync(place("memory/new.md")) && onDisk("memory/new.md") === "all mine\n");
  });
});

describe("uploads", () => {
  it("are listed, downloaded and deleted, on a phone and in Chinese", async () => {
    const body = new FormData();
    body.append("file", new File(["what a day"], "日记 <b>.txt"));
    expect((await scene.gateway.fetch("/api/upload", { method: "POST", body })).status).toBe(200);
    const page = await scene.visit({ at: "#/files/uploads", locale: "zh-CN", phone: true, dark: true });
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: /下载/ }).click(),
    ]);
    expect(readFileSync(await download.path(), "utf8")).toBe("what a day");
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: /删除/ }).click();
    await page.getByRole("button", { name: "删除", exact: true }).click();
    await page.getByText("没有上传的文件").waitFor();
    await page.getByRole("link", { name: "工作区" }).click();
    await page.getByRole("link", { name: "AGENTS.md" }).click();
    await page.getByRole("heading", { name: "AGENTS.md" }).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });
});
