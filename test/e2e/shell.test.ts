/** The frame of the WebUI as people meet it: signing in, finding pages, languages, and what it says when the gateway is away. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { barriers, stage, wholeText } from "./kit.ts";

const scene = stage();

const link = (page: Page, name: string) => page.getByRole("navigation").getByRole("link", { name });

describe("signing in", () => {
  it("trades the token of the address for a cookie that no script can read, and takes it out of the address", async () => {
    const page = await scene.visit({ at: "#/mcp" });
    await link(page, "Dashboard").waitFor();
    expect(page.url()).not.toContain("token");
    expect(await page.evaluate(() => document.cookie)).toBe("");
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
    await page.reload();
    await link(page, "Dashboard").waitFor();
  });

  it("asks for a credential, says what is wrong with one, and signs out again", async () => {
    const page = await scene.visit({ stranger: true, at: "#/keys", allow: /401|403/ });
    const field = page.getByLabel("Token, password or API key");
    await expect.poll(() => field.evaluate((input) => input.matches(":focus"))).toBe(true);
    expect(await barriers(page)).toEqual([]);
    await field.fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
    await field.fill(scene.gateway.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "Keys" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await field.waitFor();
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    expect(await wholeText(page)).not.toContain(scene.gateway.token);
  });
});

describe("finding the way", () => {
  it("goes to a page by the palette, by keyboard alone", async () => {
    const page = await scene.visit({ at: "#/logs" });
    await link(page, "Logs").waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Commands" }).fill("plug");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Plugins" }).waitFor();
    expect(page.url()).toContain("#/plugins");
    expect(await link(page, "Plugins").getAttribute("aria-current")).toBe("page");
  });

  it("has its pages in a drawer on a phone", async () => {
    const page = await scene.visit({ phone: true, at: "#/logs" });
    await page.getByRole("button", { name: "Menu" }).click();
    await link(page, "Keys").click();
    await page.getByRole("heading", { level: 1, name: "Keys" }).waitFor();
    await expect.poll(() => link(page, "Logs").isVisible()).toBe(false);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(wide).toBe(false);
  });

  it("says so when there is no such page", async () => {
    const page = await scene.visit({ at: "#/nowhere" });
    await page.getByText("There is no such page.").waitFor();
  });
});

describe("languages", () => {
  it.each([
    ["zh-CN", "仪表盘"],
    ["zh-TW", "儀表板"],
  ] as const)(
    "speaks %s to a browser that asks for it, and changes without loading anew",
    async (locale, dashboard) => {
      const page = await scene.visit({ locale, at: "#/mcp" });
      await link(page, dashboard).waitFor();
      expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale);
      await page.getByRole("combobox").first().selectOption("en");
      await link(page, "Dashboard").waitFor();
      await page.reload();
      await link(page, "Dashboard").waitFor();
    },
  );
});
