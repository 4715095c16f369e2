/** What an open page does when the gateway goes, comes back, changes its plugins or its token: it says so, recovers, and loses no typed text. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { dialog, stage } from "./kit.ts";

const scene = stage();
/** What a browser itself writes into its console when a connection fails. */
const connection = /WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/;

async function call<T>(method: string, params: unknown = {}): Promise<T> {
  const response = await scene.gateway.fetch("/api/call", { method: "POST", body: JSON.stringify({ method, params }) });
  const { result, error } = (await response.json()) as { result: T; error?: { message: string } };
  if (error) throw new Error(error.message);
  return result;
}

/** Begins to add a server and types half of it. */
async function typeSomething(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Add a server" }).click();
  await dialog(page, "Add a server").getByLabel("Arguments").fill("half a line");
}

const typed = (page: Page) => page.getByLabel("Arguments").inputValue();

describe("an open page", () => {
  it("keeps what was typed while its plugin is off, and goes on when it is back", async () => {
    const page = await scene.visit({ at: "#/mcp", allow: connection });
    await typeSomething(page);
    await call("plugins.disable", { id: "mcp" });
    await page.getByText("The plugin of this page is switched off.").waitFor();
    await expect.poll(() => page.getByRole("link", { name: "MCP" }).count()).toBe(0);
    await call("plugins.enable", { id: "mcp" });
    await page.getByRole("link", { name: "MCP" }).waitFor({ state: "attached" });
    await expect.poll(() => typed(page)).toBe("half a line");
  });

  it("asks for the new token when the old one was replaced, in front of what was typed", async () => {
    const page = await scene.visit({ at: "#/mcp", allow: connection });
    await typeSomething(page);
    const before = scene.gateway.token;
    await call("config.set", { path: "gateway.auth.token", value: "chela_another-token-0123456789" });
    await page.getByText("You were signed out").waitFor();
    await page.getByLabel("Token, password or API key").fill("chela_another-token-0123456789");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("You were signed out").waitFor({ state: "detached" });
    expect(await typed(page)).toBe("half a line");
    scene.gateway.token = "chela_another-token-0123456789";
    await call("config.set", { path: "gateway.auth.token", value: before });
    scene.gateway.token = before;
  });

  it("says that the gateway is away, and comes back by itself when it is", async () => {
    const page = await scene.visit({ at: "#/mcp", allow: connection });
    await typeSomething(page);
    await scene.stop();
    await page.getByText("The gateway does not answer.").waitFor();
    await scene.startAgain();
    await page.getByText("The gateway does not answer.").waitFor({ state: "detached" });
    expect(await typed(page)).toBe("half a line");
    await dialog(page, "Add a server").getByRole("button", { name: "Cancel" }).click();
    await page.getByText("No MCP server is configured.").waitFor();
  });
});
