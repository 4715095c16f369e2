/** The page of keys: make one with limits, use it, see what it used, and end it. */
import { describe, expect, it } from "vitest";
import { barriers, dialog, isTooWide, readers, stage, wholeText } from "./kit.ts";
import { compact, words } from "./words.ts";

const scene = stage();

it("a phone in the dark shows in traditional Chinese that there is none", async () => {
  const w = await words("zh-TW");
  const page = await scene.visit({ at: "#/keys", phone: true, dark: true, locale: "zh-TW" });
  await page.getByRole("heading", { level: 1, name: w("keys.title") }).waitFor();
  await page.getByText(w("keys.none")).waitFor();
  expect(await barriers(page)).toEqual([]);
  expect(await isTooWide(page)).toBe(false);
});

describe.each(readers)("keys, $name,", ({ w, ...look }) => {
  const ada = `Ada <script>alert(1)</script> ${look.locale}`;
  const elsewhere = `Made elsewhere ${look.locale}`;

  it("are made, shown once, limited, and revoked", async () => {
    const page = await scene.visit({ ...look, at: "#/keys" });
    // As on a page without TLS.
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await page.getByRole("button", { name: w("keys.add") }).click();
    const form = dialog(page, w("keys.add"));
    await form.getByLabel(w("keys.name")).fill(ada);
    await form.getByLabel(w("keys.scope.read")).check();
    await form.getByLabel(w("keys.expires")).selectOption("7d");
    await form.getByLabel(w("keys.tokens")).fill("1000");
    expect(await barriers(page)).toEqual([]);
    await form.getByRole("button", { name: w("keys.make") }).click();
    const key =
      (await page
        .locator("code")
        .filter({ hasText: /^chela_[^…]+$/ })
        .textContent()) ?? "";
    expect((await scene.gateway.fetch("/api/version", { token: key })).status).toBe(200);
    expect((await scene.gateway.fetch("/api/config/reload", { token: key, method: "POST" })).status).toBe(403);
    await page.keyboard.press("Escape");
    const sure = dialog(page, w("ui.confirm"));
    await sure.getByText(w("keys.uncopied")).waitFor();
    await sure.getByRole("button", { name: w("ui.cancel") }).click();
    await page.getByRole("button", { name: w("ui.copy"), exact: true }).click();
    await page.getByText(w("ui.copied"), { exact: true }).waitFor();
    await page.keyboard.press("Escape");

    const card = page.getByRole("region", { name: ada });
    await card.getByText(w("keys.used", { used: "0", of: compact(1000, look.locale) })).waitFor();
    const when = new Intl.RelativeTimeFormat(look.locale, { numeric: "auto" });
    // In the same second it is a whole week.
    await card
      .getByText(when.format(7, "day"))
      .or(card.getByText(when.format(1, "week")))
      .waitFor();
    expect(await wholeText(page)).not.toContain(key);
    await scene.call("keys.add", { name: elsewhere, scopes: ["read"] });
    await page.getByRole("region", { name: elsewhere }).waitFor();
    await card.getByRole("button", { name: w("keys.change") }).click();
    const limits = dialog(page, w("keys.limitsOf", { name: ada }));
    await limits.getByLabel(w("keys.tokens")).fill("2000");
    await limits.getByRole("button", { name: w("ui.save") }).click();
    await card.getByText(w("keys.used", { used: "0", of: compact(2000, look.locale) })).waitFor();
    expect(await barriers(page)).toEqual([]);

    await card.getByRole("button", { name: w("keys.revoke") }).click();
    await dialog(page, w("ui.confirm"))
      .getByRole("button", { name: w("keys.revoke") })
      .click();
    await card.getByText(w("keys.state.revoked"), { exact: true }).waitFor();
    expect((await scene.gateway.fetch("/api/version", { token: key })).status).toBe(401);
  });
});
