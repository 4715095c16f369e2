/** What the first visit costs: little is sent, something is seen at once, and no page is loaded before it is opened. */
import type { Page, Response } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { stage } from "./kit.ts";

const scene = stage();
const budget = { scriptBytes: 90_000, firstPaintMs: 300 };

/** Files that the page loads from now on. */
function files(page: Page): Response[] {
  const loaded: Response[] = [];
  page.on("response", (response) => {
    if (response.url().includes("/ui/")) loaded.push(response);
  });
  return loaded;
}

async function compressedBytes(responses: readonly Response[]): Promise<number> {
  const sizes = await Promise.all(responses.map((response) => response.request().sizes()));
  return sizes.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0);
}

/** Milliseconds from the navigation to the first text or picture. */
function firstPaint(page: Page): Promise<number> {
  return page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN);
}

describe("the first visit", () => {
  it("loads at most 90 kB of compressed script, and only what the chat needs", async () => {
    const page = await scene.browser.newPage();
    onTestFinished(() => page.close());
    const loaded = files(page);
    await page.goto(`${scene.gateway.url}/?token=${scene.gateway.token}#/chat`);
    await page.getByRole("textbox", { name: /Message/ }).waitFor();
    await page.waitForLoadState("networkidle");
    const scripts = loaded.filter((response) => response.url().endsWith(".js"));
    expect(scripts.length).toBeGreaterThan(2);
    const plain = scripts.filter((response) => response.headers()["content-encoding"] === undefined);
    expect(await compressedBytes(plain)).toBeLessThan(1024 * plain.length);
    expect(await compressedBytes(scripts)).toBeLessThan(budget.scriptBytes);
    const names = scripts.map((response) => new URL(response.url()).pathname);
    expect(
      names.filter((name) => /dashboard|plugins|config|providers|files|logs|keys|editor|chart/.test(name)),
    ).toEqual([]);
  });

  it("paints within 300 ms", async () => {
    const painted: number[] = [];
    // The best of a few: the others share the machine with whatever else runs on it.
    for (let visit = 0; visit < 8 && !(Math.min(...painted) < budget.firstPaintMs); visit++) {
      const page = await scene.browser.newPage();
      await page.goto(`${scene.gateway.url}/?token=${scene.gateway.token}#/chat`);
      await page.getByRole("textbox", { name: /Message/ }).waitFor();
      painted.push(await firstPaint(page));
      await page.close();
    }
    expect(Math.min(...painted)).toBeLessThan(budget.firstPaintMs);
  });

  it("is the only one that loads the files: the next takes nothing again", async () => {
    const page = await scene.visit({ at: "#/keys" });
    const heading = page.getByRole("heading", { level: 1, name: "Keys" });
    await heading.waitFor();
    const loaded = files(page);
    await page.reload();
    await heading.waitFor();
    const again = await Promise.all(
      loaded.map(async (response) => (await response.request().sizes()).responseBodySize),
    );
    expect(Math.max(0, ...again)).toBe(0);
  });
});
