/** The page of MCP servers: add one, see its tools, change it without losing its secrets, restart it, take it away. */
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { root } from "../kit/sources.ts";
import { barriers, dialog, isTooWide, readers, stage, wholeText } from "./kit.ts";
import { pattern } from "./words.ts";

const scene = stage();
const { call } = scene;
const everything = join(root, "node_modules/@modelcontextprotocol/server-everything/dist/index.js");

afterEach(async () => {
  await call("config.edit", { edits: [{ path: "tools.mcp.servers" }], force: true });
});

describe.each(readers)("MCP servers, $name,", ({ w, ...look }) => {
  it("are added, tested, changed, restarted and removed", async () => {
    const page = await scene.visit({ ...look, at: "#/mcp" });
    await page.getByText(w("mcp.none")).waitFor();
    await page.getByRole("button", { name: w("mcp.add") }).click();
    const form = dialog(page, w("mcp.add"));
    await form.getByLabel(w("mcp.field.name"), { exact: true }).fill("everything");
    await form.getByLabel(w("mcp.field.command")).fill(process.execPath);
    await form.getByLabel(w("mcp.field.args")).fill(`${everything}\nstdio`);
    await form.getByLabel(w("mcp.field.env")).fill("CANARY=hush-1f2e");
    await form.getByLabel(w("mcp.field.permission")).selectOption("full");
    expect(await barriers(page)).toEqual([]);
    await form.getByRole("button", { name: w("ui.save") }).click();

    const card = page.getByRole("region", { name: "everything" });
    await card.getByRole("button", { name: w("mcp.test") }).click();
    await page.getByText(pattern(w("mcp.answered", { name: "everything" }))).waitFor();
    await card.getByText(pattern(w("mcp.tools"))).click();
    await card.getByText("everything__echo").waitFor();
    await card.getByText("remote tool: echo").waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);

    await card.getByRole("button", { name: w("ui.edit") }).click();
    const settings = dialog(page, w("mcp.edit", { name: "everything" }));
    await expect.poll(() => settings.getByLabel(w("mcp.field.env")).inputValue()).toMatch(/^CANARY=__/);
    await settings.getByLabel(w("mcp.field.description")).fill("For <b>tests</b>");
    await settings.getByRole("button", { name: w("ui.save") }).click();
    await card.getByText("For <b>tests</b>").waitFor();
    const { value } = await call<{ value: { command: string } }>("config.get", {
      path: "tools.mcp.servers.everything",
    });
    expect(value.command).toBe(process.execPath);
    await card.getByRole("button", { name: w("mcp.restart") }).click();
    await card.getByText(w("mcp.state.up"), { exact: true }).waitFor();

    await card.getByRole("button", { name: w("ui.remove") }).click();
    await dialog(page, w("ui.confirm"))
      .getByRole("button", { name: w("ui.remove") })
      .click();
    await page.getByText(w("mcp.none")).waitFor();
    expect(await wholeText(page)).not.toContain("hush-1f2e");
  });

  it("say in the dark why one does not run", async () => {
    await call("mcp.add", { name: "broken", server: { command: "no-such-program" } });
    const page = await scene.visit({ ...look, at: "#/mcp", dark: true });
    const card = page.getByRole("region", { name: "broken" });
    await card.getByText("no-such-program").first().waitFor();
    await card.getByRole("button", { name: w("mcp.test") }).click();
    await page.getByText(pattern(w("mcp.failed", { name: "broken" }))).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);

    await page.getByRole("button", { name: w("mcp.add") }).click();
    const form = dialog(page, w("mcp.add"));
    await form.getByLabel(w("mcp.field.name"), { exact: true }).fill("broken");
    await form.getByLabel(w("mcp.field.command")).fill("another");
    await form.getByRole("button", { name: w("ui.save") }).click();
    await form.getByText(w("mcp.field.name.taken", { name: "broken" })).waitFor();
  });
});
