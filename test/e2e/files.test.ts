/** The page of the files on a real gateway: the workspace with its memory, what others write meanwhile, and the uploads. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { barriers, isTooWide, readers, stage, textOf } from "./kit.ts";
import { pattern } from "./words.ts";

describe.each(readers)("$name:", ({ w, ...look }) => {
  const scene = stage();

  const place = (path: string) => join(scene.gateway.stateDir, "workspace", path);
  const onDisk = (path: string) => readFileSync(place(path), "utf8");

  function put(path: string, text: string): void {
    mkdirSync(dirname(place(path)), { recursive: true });
    writeFileSync(place(path), text);
  }

  const editorOf = (page: Page, path: string) => page.getByRole("textbox", { name: w("files.editor", { path }) });
  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

  describe("the files of the workspace", () => {
    it("are found, read, written, looked at, renamed and deleted", async () => {
      put(
        "memory/\u202egnp<img src=x onerror=alert(1)>.md",
        "\u001b[31mred\u001b[0m <script>alert(1)</script>\u2067 right",
      );
      put("memory/plans.md", "# Plans\n\nThe heron nests on the north pier.\n");
      const page = await scene.visit({ ...look, at: "#/files" });
      const files = page.getByRole("region", { name: w("files.list") });
      await files.getByRole("link", { name: /U\+202E/ }).click();
      await page.getByRole("heading", { name: /U\+202E.*<img/ }).waitFor();
      await page.getByText(w("editor.keys")).waitFor();
      await button(page, w("files.preview")).click();
      await page
        .getByRole("region", { name: w("files.preview") })
        .getByText("red")
        .waitFor();
      if (look.phone) await page.getByRole("link", { name: w("files.back") }).click();
      await files.getByRole("searchbox").fill("heron");
      await files
        .getByRole("link", { name: /plans\.md/ })
        .filter({ hasText: "north pier" })
        .click();
      const editor = editorOf(page, "memory/plans.md");
      await editor.press("Control+End");
      await page.keyboard.insertText("- **watch** <img src=x onerror=alert(1)>\n");
      await button(page, w("files.preview")).click();
      await page
        .getByRole("region", { name: w("files.preview") })
        .locator("strong", { hasText: "watch" })
        .waitFor();
      expect(await barriers(page)).toEqual([]);
      await button(page, w("ui.edit")).click();
      await editor.press("Control+s");
      await until(() => onDisk("memory/plans.md").includes("**watch**"));

      await button(page, w("files.rename")).click();
      await page.getByRole("textbox", { name: w("files.path") }).fill("memory/birds.md");
      await button(page, w("files.rename")).last().click();
      await editorOf(page, "memory/birds.md").waitFor();
      await until(() => existsSync(place("memory/birds.md")) && !existsSync(place("memory/plans.md")));
      await button(page, w("ui.delete")).click();
      await button(page, w("ui.delete")).last().click();
      await (look.phone ? files.getByRole("searchbox") : page.getByText(w("files.choose"))).waitFor();
      expect(existsSync(place("memory/birds.md"))).toBe(false);
    });

    it("that others write and delete meanwhile are told; what was typed stays, over a reload of the page, too", async () => {
      const page = await scene.visit({ ...look, at: "#/files" });
      await button(page, w("files.new")).click();
      await page.getByRole("textbox", { name: w("files.path") }).fill("../out.md");
      await page.getByText(w("files.path.outside")).waitFor();
      await page.getByRole("textbox", { name: w("files.path") }).fill("memory/new.md");
      await button(page, w("files.new.go")).click();
      const editor = editorOf(page, "memory/new.md");
      await editor.fill("one\ntwo\nthree\n");
      await page.reload();
      if (look.phone) await page.getByRole("link", { name: w("files.back") }).click();
      const unsaved = page.getByRole("link", { name: pattern("new.md", w("files.unsaved")) });
      await unsaved.waitFor();
      if (look.phone) await unsaved.click();
      await button(page, w("ui.save")).click();
      await until(() => existsSync(place("memory/new.md")));

      await editor.fill("one\ntwo\nthree of mine\n");
      put("memory/new.md", "one of theirs\ntwo\nthree\n");
      const notice = page.getByRole("alert").filter({ hasText: w("files.overtaken") });
      await notice.waitFor();
      expect(await barriers(page)).toEqual([]);
      await button(page, w("files.merge")).click();
      await button(page, w("ui.save")).click();
      await until(() => onDisk("memory/new.md") === "one of theirs\ntwo\nthree of mine\n");

      await editor.fill("all mine\n");
      rmSync(place("memory/new.md"));
      await page
        .getByRole("alert")
        .filter({ hasText: w("files.gone") })
        .waitFor();
      await button(page, w("files.keepMine")).click();
      await until(() => existsSync(place("memory/new.md")) && onDisk("memory/new.md") === "all mine\n");
    });
  });

  describe("uploads", () => {
    it("are listed, downloaded and deleted", async () => {
      const body = new FormData();
      body.append("file", new File(["what a day"], "日记 <b>.txt"));
      expect((await scene.gateway.fetch("/api/upload", { method: "POST", body })).status).toBe(200);
      const page = await scene.visit({ ...look, at: "#/files/uploads", dark: true });
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("link", { name: pattern(w("files.uploads.get")) }).click(),
      ]);
      expect(await textOf(download)).toBe("what a day");
      expect(await barriers(page)).toEqual([]);
      await page.getByRole("button", { name: pattern(w("files.uploads.delete")) }).click();
      await page.getByRole("button", { name: w("ui.delete"), exact: true }).click();
      await page.getByText(w("files.uploads.none")).waitFor();
      await page.getByRole("link", { name: w("files.tab.workspace") }).click();
      await page.getByRole("link", { name: "AGENTS.md" }).click();
      await page.getByRole("heading", { name: "AGENTS.md" }).waitFor();
      expect(await barriers(page)).toEqual([]);
      expect(await isTooWide(page)).toBe(false);
    });
  });
});
