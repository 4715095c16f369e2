/** The page of keys: make one with limits, use it, see what it used, and end it. */
import { describe, expect, it } from "vitest";
import { barriers, dialog, stage, wholeText } from "./kit.ts";

const scene = stage();

describe("keys", () => {
  it("are made, shown once, limited, and revoked", async () => {
    const page = await scene.visit({ at: "#/keys" });
    await page.getByText("There is no key yet.").waitFor();
    await page.getByRole("button", { name: "New key" }).click();
    const form = dialog(page, "New key");
    await form.getByLabel("Name").fill("Ada <script>alert(1)</script>");
    await form.getByLabel("Read: see sessions").check();
    await form.getByLabel("Expires").selectOption("30d");
    await form.getByLabel("Tokens").fill("1000");
    expect(await barriers(page)).toEqual([]);
    await form.getByRole("button", { name: "Make the key" }).click();
    const key =
      (await page
        .locator("code")
        .filter({ hasText: /^chela_[^…]+$/ })
        .textContent()) ?? "";
    expect((await scene.gateway.fetch("/api/version", { token: key })).status).toBe(200);
    expect((await scene.gateway.fetch("/api/config/reload", { token: key, method: "POST" })).status).toBe(403);
    await page.getByRole("button", { name: "I have copied it" }).click();

    const card = page.getByRole("region", { name: "Ada <script>alert(1)</script>" });
    await card.getByText("0 of 1K").waitFor();
    expect(await wholeText(page)).not.toContain(key);
    await card.getByRole("button", { name: "Limits" }).click();
    const limits = dialog(page, "Limits of Ada");
    await limits.getByLabel("Tokens").fill("2000");
    await limits.getByRole("button", { name: "Save" }).click();
    await card.getByText("0 of 2K").waitFor();
    expect(await barriers(page)).toEqual([]);

    await card.getByRole("button", { name: "Revoke" }).click();
    await dialog(page, "Confirm").getByRole("button", { name: "Revoke" }).click();
    await card.getByText("revoked", { exact: true }).waitFor();
    expect((await scene.gateway.fetch("/api/version", { token: key })).status).toBe(401);
  });

  it("are read on a phone in Chinese", async () => {
    const page = await scene.visit({ at: "#/keys", phone: true, dark: true, locale: "zh-TW" });
    await page.getByRole("heading", { level: 1, name: "金鑰" }).waitFor();
    await page.getByRole("heading", { level: 2 }).first().waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
  });
});
