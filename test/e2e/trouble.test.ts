/** What an open page does when the gateway goes, comes back, changes its plugins or its token: it says so, recovers, and loses no typed text. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { dialog, readers, stage } from "./kit.ts";

const scene = stage();
const { call } = scene;
/** What a browser itself writes into its console when a connection fails. */
const connection = /WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/;

describe.each(readers)("an open page, $name,", ({ w, ...look }) => {
  /** Begins to add a server and types half of it. */
  async function typeSomething(page: Page): Promise<void> {
    await page.getByRole("button", { name: w("mcp.add") }).click();
    await dialog(page, w("mcp.add")).getByLabel(w("mcp.field.args")).fill("half a line");
  }

  const typed = (page: Page) => page.getByLabel(w("mcp.field.args")).inputValue();

  it("keeps what was typed while its plugin is off, and goes on when it is back", async () => {
    const page = await scene.visit({ ...look, at: "#/mcp", allow: connection });
    await typeSomething(page);
    await call("plugins.disable", { id: "mcp" });
    await page.getByText(w("app.panelGone")).waitFor();
    await expect.poll(() => page.getByRole("link", { name: w("nav.mcp"), includeHidden: true }).count()).toBe(0);
    await call("plugins.enable", { id: "mcp" });
    await page.getByRole("link", { name: w("nav.mcp"), includeHidden: true }).waitFor({ state: "attached" });
    await expect.poll(() => typed(page)).toBe("half a line");
  });

  it("asks for the new token when the old one was replaced, in front of what was typed", async () => {
    const page = await scene.visit({ ...look, at: "#/mcp", allow: connection });
    await typeSomething(page);
    const before = scene.gateway.token;
    await call("config.set", { path: "gateway.auth.token", value: "chela_another-token-0123456789" });
    await page.getByText(w("login.expired")).waitFor();
    await page.getByLabel(w("login.credential")).fill("chela_another-token-0123456789");
    await page.getByRole("button", { name: w("login.submit") }).click();
    await page.getByText(w("login.expired")).waitFor({ state: "detached" });
    expect(await typed(page)).toBe("half a line");
    scene.gateway.token = "chela_another-token-0123456789";
    await call("config.set", { path: "gateway.auth.token", value: before });
    scene.gateway.token = before;
  });

  it("says that the gateway is away, and comes back by itself when it is", async () => {
    const page = await scene.visit({ ...look, at: "#/mcp", allow: connection });
    await typeSomething(page);
    await scene.stop();
    await page.getByText(w("app.unreachable")).waitFor();
    await scene.startAgain();
    await page.getByText(w("app.unreachable")).waitFor({ state: "detached" });
    expect(await typed(page)).toBe("half a line");
    await dialog(page, w("mcp.add"))
      .getByRole("button", { name: w("ui.cancel") })
      .click();
    await page.getByText(w("mcp.none")).waitFor();
  });
});
