/** The page of logs: following, filtering, searching back through what was written before, and text that must not act. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { barriers, dialog, isTooWide, readers, stage, textOf } from "./kit.ts";
import { pattern } from "./words.ts";

describe.each(readers)("$name:", ({ w, ...look }) => {
  const scene = stage();

  /** As another process would: the gateway follows the file, whoever writes it. */
  function write(...entries: readonly Record<string, unknown>[]): void {
    const time = new Date().toISOString();
    const lines = entries.map((entry) => JSON.stringify({ level: "INFO", time, ...entry }));
    appendFileSync(join(scene.gateway.stateDir, "logs", "chela.log"), `${lines.join("\n")}\n`);
  }

  const line = (page: Page, text: string | RegExp) => page.getByRole("option").filter({ hasText: text });

  async function open(at = "#/logs", how: Parameters<typeof scene.visit>[0] = {}): Promise<Page> {
    const page = await scene.visit({ ...look, at, ...how });
    await page
      .getByRole("status")
      .filter({ hasText: w("logs.state.live") })
      .waitFor();
    return page;
  }

  describe("following", () => {
    it("shows lines as they come, shows one whole, and nothing in it acts", async () => {
      const page = await open();
      const hostile = '<img src=x onerror="document.title=1"> \u001b[31mred\u001b[0m \u202etxt.exe';
      write({ level: "WARN", plugin: "mcp", msg: hostile, path: "/a", size: 7 });
      const row = line(page, "onerror");
      await row.waitFor();
      const told = (await row.textContent())?.replace(/\s+/g, " ");
      expect(told).toContain('WARNmcp <img src=x onerror="document.title=1"> red U+202Etxt.exe path=/a size=7');
      expect(await page.locator("img[src=x]").count()).toBe(0);
      expect(await barriers(page)).toEqual([]);
      const search = page.getByRole("searchbox", { name: w("logs.search") });
      for (const letter of "onerror") {
        write({ msg: "chatter while one types" });
        await search.press(letter);
      }
      expect(await search.inputValue()).toBe("onerror");
      await page.locator("mark").filter({ hasText: "onerror" }).waitFor();
      await row.click();
      const whole = dialog(page, w("logs.details")).locator("pre");
      await whole.filter({ hasText: '"size": 7' }).waitFor();
      for (const mark of ["\u001b", "\u202e"]) expect(await whole.textContent()).not.toContain(mark);
      expect(await barriers(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await whole.waitFor({ state: "hidden" });
    });

    it("holds back what comes while it is paused, and tells how much that is", async () => {
      const page = await open();
      await page.getByRole("button", { name: w("logs.pause") }).click();
      write({ msg: "held one" }, { msg: "held two" });
      await page.getByText(w("logs.waiting", { n: 2 })).waitFor();
      expect(await line(page, "held").count()).toBe(0);
      await page.getByRole("searchbox", { name: w("logs.search") }).fill("held");
      await line(page, "held two").waitFor();
      write({ msg: "held three" });
      await page.getByText(pattern(w("logs.waiting"))).waitFor();
      await page.getByRole("button", { name: w("logs.resume") }).click();
      await line(page, "held three").waitFor();
    });

    it("stays where one reads, and offers the way back to the newest line", async () => {
      const page = await open();
      write(...Array.from({ length: 400 }, (_, n) => ({ msg: `heap ${n}` })));
      await line(page, "heap 399").waitFor();
      const view = page.getByRole("listbox", { name: w("logs.lines") });
      await view.evaluate((list) => list.scrollBy(0, -3_000));
      const newest = page.getByRole("button", { name: w("logs.newest") });
      await newest.waitFor();
      const top = await view.evaluate((list) => list.scrollTop);
      write({ msg: "below" });
      await page.getByRole("button", { name: w("logs.newest.count", { n: 1 }) }).click();
      await line(page, "below").waitFor();
      expect(top).toBeGreaterThan(0);
      await newest.waitFor({ state: "hidden" });
    });

    it("goes on after the gateway has restarted, without a line twice or missing", async () => {
      const page = await open("#/logs?q=restart-proof");
      write({ msg: "restart-proof before" });
      await line(page, "before").waitFor();
      // Where it takes long, its own reply is cut off.
      await scene.call("gateway.restart").catch(() => undefined);
      write({ msg: "restart-proof after" });
      await line(page, "after").waitFor();
      expect(await line(page, "restart-proof").count()).toBe(2);
    });
  });

  describe("without a file", () => {
    it("shows what is in memory and says why, and follows again once there is one", async () => {
      const page = await open("#/logs", { allow: /WebSocket/ });
      await scene.call("config.set", { path: "logging.enabled", value: false });
      await page
        .getByText(w("logs.state.still", { reason: "log path not configured" }).split(/[.。]/)[0] as string)
        .waitFor();
      await line(page, "Chela listens").waitFor();
      await scene.call("config.set", { path: "logging.enabled", value: true });
      await page
        .getByRole("status")
        .filter({ hasText: w("logs.state.live") })
        .waitFor();
    });
  });

  describe("finding", () => {
    it("filters by level and plugin, searches all that was written, and keeps it in the address", async () => {
      write({ level: "ERROR", plugin: "mcp", msg: "needle far back" });
      write(...Array.from({ length: 1_500 }, (_, n) => ({ plugin: "chat", msg: `straw ${n}` })));
      const page = await open();
      await line(page, "straw 1499").waitFor();
      await page.getByRole("combobox", { name: w("logs.level") }).selectOption("error");
      await line(page, "needle").waitFor();
      expect(page.url()).toContain("level=error");
      await page.getByRole("combobox", { name: w("logs.level") }).selectOption("");
      await page.getByRole("searchbox", { name: w("logs.search") }).fill("NEEDLE far");
      await line(page, "needle").waitFor();
      await expect.poll(() => page.locator("mark").allTextContents()).toEqual(["needle far"]);
      await page.getByRole("combobox", { name: w("logs.plugin") }).selectOption("kernel");
      await page.getByText(w("logs.none.found")).waitFor();
      await page.getByRole("button", { name: w("logs.none.clear") }).click();
      await line(page, "straw 1499").waitFor();
      await page.reload();
      await line(page, "straw 1499").waitFor();
    });

    it("loads older lines at the top, back to the beginning, with few rows in the document, and saves what is there", async () => {
      const page = await open();
      const view = page.getByRole("listbox", { name: w("logs.lines") });
      await line(page, "straw 1499").waitFor();
      const begins = async () => {
        await view.evaluate((list) => list.scrollTo(0, 0));
        return line(page, "Chela listens").isVisible();
      };
      await expect.poll(begins, { timeout: 10_000 }).toBe(true);
      await page.getByText(w("logs.start")).waitFor();
      expect(await page.getByRole("option").count()).toBeLessThan(200);
      await page.keyboard.press("Tab");
      await view.press("End");
      await line(page, "straw 1499").waitFor();
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: w("logs.download") }).click(),
      ]);
      const saved = (await textOf(download)).trim().split("\n");
      expect(saved.length).toBeGreaterThan(1_900);
      expect(JSON.parse(saved.at(-1) ?? "")).toMatchObject({ msg: "straw 1499" });
    });

    it("is at hand in the dark", async () => {
      const page = await open("#/logs?level=warn", { dark: true });
      await line(page, "onerror").waitFor();
      expect(await barriers(page)).toEqual([]);
      expect(await isTooWide(page)).toBe(false);
    });
  });
});
