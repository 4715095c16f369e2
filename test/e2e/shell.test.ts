/** The frame of the WebUI as people meet it: signing in, finding pages, languages, and what it says when the gateway is away. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { barriers, dialog, goTo, isTooWide, type Reader, readers, stage, wholeText } from "./kit.ts";
import { words } from "./words.ts";

const scene = stage();

/** In the navigation, which is a closed drawer on a phone. */
const link = (page: Page, name: string) =>
  page.getByRole("navigation", { includeHidden: true }).getByRole("link", { name, exact: true, includeHidden: true });

describe.each(readers)("signing in, $name,", ({ w, ...look }) => {
  const isIn = (page: Page) => link(page, w("nav.dashboard")).waitFor({ state: "attached" });

  it("trades the token of the address for a cookie that no script can read, and takes it out of the address", async () => {
    const page = await scene.visit({ ...look, stranger: true });
    const { token, url } = scene.gateway;
    const login = "**/api/webui/login";
    await page.route(login, () => undefined);
    await page.goto(`${url}/?token=${token}#/mcp`);
    await page.waitForURL((now) => now.search === "");
    await page.unroute(login);
    // Whoever loads anew before the gateway has answered is signed in all the same.
    await page.reload();
    await isIn(page);
    expect(page.url()).not.toContain("token");
    expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(
      token,
    );
    expect(await page.evaluate(() => document.cookie)).toBe("");
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
    await page.reload();
    await isIn(page);
  });

  it("asks for a credential, says what is wrong with one, and signs out again, in all tabs", async () => {
    const page = await scene.visit({ ...look, stranger: true, at: "#/keys", allow: /401|403/ });
    const field = page.getByLabel(w("login.credential"));
    await expect.poll(() => field.evaluate((input) => input.matches(":focus"))).toBe(true);
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await field.fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
    await field.fill(scene.gateway.token);
    await page.getByRole("button", { name: w("login.submit") }).click();
    await page.getByRole("heading", { level: 1, name: w("nav.keys") }).waitFor();
    const other = await page.context().newPage();
    await other.goto(`${scene.gateway.url}/#/chat/main`);
    await other.getByRole("textbox", { name: w("chat.message") }).fill("a secret thought");
    if (look.phone) await page.getByRole("button", { name: w("app.menu") }).click();
    await page.getByRole("button", { name: w("app.signOut") }).click();
    for (const tab of [page, other]) {
      await tab.getByLabel(w("login.credential")).waitFor();
      expect(await wholeText(tab)).not.toContain(w("login.expired"));
      expect(await tab.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain("secret");
    }
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    expect(await wholeText(page)).not.toContain(scene.gateway.token);
    await field.fill(scene.gateway.token);
    await page.keyboard.press("Enter");
    await isIn(other);
  });
});

describe("finding the way", () => {
  const { w } = readers[0] as Reader;

  it("goes to a page by the palette, by keyboard alone", async () => {
    const page = await scene.visit({ at: "#/logs" });
    await link(page, w("nav.logs")).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: w("palette.title") }).fill("plug");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: w("nav.plugins") }).waitFor();
    expect(page.url()).toContain("#/plugins");
    expect(await link(page, w("nav.plugins")).getAttribute("aria-current")).toBe("page");
    expect(await page.locator(".fill:focus").count()).toBe(1);
  });

  it("has its pages in a drawer on a phone", async () => {
    const page = await scene.visit({ phone: true, at: "#/logs" });
    await page.getByRole("button", { name: w("app.menu") }).click();
    await link(page, w("nav.keys")).click();
    await page.getByRole("heading", { level: 1, name: w("nav.keys") }).waitFor();
    await expect.poll(() => link(page, w("nav.logs")).isVisible()).toBe(false);
    expect(await isTooWide(page)).toBe(false);
  });

  it("says so when there is no such page", async () => {
    const page = await scene.visit({ at: "#/nowhere" });
    await page.getByText(w("app.notFound")).waitFor();
  });
});

describe.each(readers)("going back, $name,", ({ w, ...look }) => {
  it("leaves an open dialog, which waits there with what was typed", async () => {
    const page = await scene.visit({ ...look, at: "#/logs" });
    await goTo(page, w, "nav.mcp");
    await page.getByRole("button", { name: w("mcp.add") }).click();
    const field = dialog(page, w("mcp.add")).getByLabel(w("mcp.field.args"));
    await field.fill("half a line");
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: w("nav.logs") }).waitFor();
    await goTo(page, w, "nav.mcp");
    await field.waitFor();
    expect(await field.inputValue()).toBe("half a line");
  });
});

describe("languages", () => {
  it.each(["zh-CN", "zh-TW"] as const)(
    "speaks %s to a browser that asks for it, and changes without loading anew",
    async (locale) => {
      const [theirs, english] = await Promise.all([words(locale), words("en")]);
      const page = await scene.visit({ locale, at: "#/mcp" });
      await link(page, theirs("nav.dashboard")).waitFor();
      expect(await page.evaluate(() => document.documentElement.lang)).toBe(locale);
      await page.getByRole("combobox").first().selectOption("en");
      await link(page, english("nav.dashboard")).waitFor();
      await page.reload();
      await link(page, english("nav.dashboard")).waitFor();
    },
  );
});
