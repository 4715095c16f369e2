/** The page of MCP servers: add one, see its tools, change it without losing its secrets, restart it, take it away. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../kit/sources.ts";
import { barriers, dialog, stage, wholeText } from "./kit.ts";

const scene = stage();
const everything = join(root, "node_modules/@modelcontextprotocol/server-everything/dist/index.js");

async function call<T>(method: string, params: unknown): Promise<T> {
  const response = await scene.gateway.fetch("/api/call", { method: "POST", body: JSON.stringify({ method, params }) });
  return ((await response.json()) as { result: T }).result;
}

describe("MCP servers", () => {
  it("are added, tested, changed, restarted and removed", async () => {
    const page = await scene.visit({ at: "#/mcp" });
    await page.getByText("No MCP server is configured.").waitFor();
    await page.getByRole("button", { name: "Add a server" }).click();
    const form = dialog(page, "Add a server");
    await form.getByLabel("Name", { exact: true }).fill("everything");
    await form.getByLabel("Command").fill(process.execPath);
    await form.getByLabel("Arguments").fill(`${everything}\nstdio`);
    await form.getByLabel("Environment").fill("CANARY=hush-1f2e");
    await form.getByLabel("Where it may run").selectOption("full");
    expect(await barriers(page)).toEqual([]);
    await form.getByRole("button", { name: "Save" }).click();

    const card = page.getByRole("region", { name: "everything" });
    await card.getByRole("button", { name: "Test" }).click();
    await page.getByText(/everything answered with \d+ tools/).waitFor();
    await card.getByText(/^\d+ tools$/).click();
    await card.getByText("everything__echo").waitFor();
    expect(await barriers(page)).toEqual([]);

    await card.getByRole("button", { name: "Edit" }).click();
    const settings = dialog(page, "Settings of everything");
    await expect.poll(() => settings.getByLabel("Environment").inputValue()).toMatch(/^CANARY=__/);
    await settings.getByLabel("Description").fill("For <b>tests</b>");
    await settings.getByRole("button", { name: "Save" }).click();
    await card.getByText("For <b>tests</b>").waitFor();
    const { value } = await call<{ value: { command: string } }>("config.get", {
      path: "tools.mcp.servers.everything",
    });
    expect(value.command).toBe(process.execPath);
    await card.getByRole("button", { name: "Restart" }).click();
    await card.getByText("running", { exact: true }).waitFor();

    await card.getByRole("button", { name: "Remove" }).click();
    await dialog(page, "Confirm").getByRole("button", { name: "Remove" }).click();
    await page.getByText("No MCP server is configured.").waitFor();
    expect(await wholeText(page)).not.toContain("hush-1f2e");
  });

  it("are shown on a phone in Chinese, with why one does not run", async () => {
    await call("mcp.add", { name: "broken", server: { command: "no-such-program" } });
    const page = await scene.visit({ at: "#/mcp", phone: true, dark: true, locale: "zh-CN" });
    const card = page.getByRole("region", { name: "broken" });
    await card.getByText("no-such-program").first().waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
  });
});
