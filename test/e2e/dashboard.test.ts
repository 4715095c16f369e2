/** The dashboard on a gateway that works, that fails in parts, and whose parts are switched off. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";
import { barriers, dialog, stage } from "./kit.ts";

const scene = stage();
const made: { upstream?: Upstream } = {};

beforeAll(async () => {
  made.upstream = await startUpstream();
  const { upstream } = made;
  upstream.script("busy", { status: 429, message: "slow down" });
  const providers = { alpha: { api_base: upstream.base, api_key: "sk-alpha-0123456789", models: ["good", "busy"] } };
  await scene.call("config.set", { path: "models.providers", value: providers });
  await scene.call("config.set", { path: "agents.defaults.model.primary", value: "alpha/good" });
  await scene.call("config.set", { path: "usage.prices", value: { "alpha/good": { input: 1000, output: 2000 } } });
  await scene.call("providers.test", { model: "alpha/good" });
  await scene.call("keys.add", { name: "Laptop", scopes: ["read"], limits: { usd: 5, period: "day" } });
});

afterAll(() => made.upstream?.close());

async function open(how: Parameters<typeof scene.visit>[0] = {}): Promise<Page> {
  const page = await scene.visit({ at: "#/dashboard", ...how });
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

const region = (page: Page, name: string) => page.getByRole("region", { name });
const sideways = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

describe("the dashboard", () => {
  it("tells how the gateway does, in charts that are tables, too", async () => {
    const page = await open();
    const gateway = region(page, "Gateway");
    await gateway.getByText("Running").waitFor();
    for (const fact of ["from this machine only", process.version, scene.gateway.url])
      await gateway.getByText(fact).first().waitFor();
    await region(page, "Start of the plugins").getByRole("link", { name: "store" }).waitFor();
    const usage = region(page, "Usage");
    await usage
      .getByRole("img", { name: /^Cost by day and Model: alpha\/good \$0\.0/ })
      .locator("canvas")
      .waitFor();
    await usage.getByText("As a table").click();
    const rows = usage.getByRole("region", { name: "Cost by day and Model" }).getByRole("row");
    await expect.poll(() => rows.count()).toBe(8);
    await usage.getByText("Laptop · Cost, today").waitFor();
    await usage.getByRole("button", { name: "Last 30 days" }).click();
    await expect.poll(() => rows.count()).toBe(31);
    await usage.getByRole("combobox", { name: "By", exact: true }).selectOption("identity");
    await usage.getByRole("rowheader", { name: "token" }).waitFor();
    expect(await barriers(page)).toEqual([]);
  });

  it("shows who cools down, why and until when, and ends it", async () => {
    await expect(scene.call("providers.test", { model: "alpha/busy" })).rejects.toThrow();
    const page = await open();
    const providers = region(page, "Model providers");
    await providers.getByText(/busy · .*too many requests · until/).waitFor();
    await region(page, "Last warnings and errors").getByText("alpha/busy failed").first().waitFor();
    await providers.getByRole("button", { name: "Clear the cooldowns of alpha" }).click();
    await page.getByText("1 cooldown was cleared.").waitFor();
    await expect.poll(() => providers.getByText("Cooling down").count()).toBe(0);
  });

  it("walks through a day of health by keyboard, and runs every check on demand", async () => {
    const page = await open();
    const strip = page.getByRole("slider", { name: "Health of the last 24 hours" });
    await strip.focus();
    await page.keyboard.press("Home");
    await page
      .getByText(/^\d.* to \d.*: not watched$/)
      .first()
      .waitFor();
    expect(await strip.getAttribute("aria-valuenow")).toBe("0");
    await page.getByRole("button", { name: "Check health now" }).click();
    const checks = dialog(page, "Health checks");
    await checks.getByText(/All \d+ checks are well/).waitFor();
    await checks.getByRole("row", { name: /store/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
  });

  it("says at the top what is wrong with config and plugins, and takes it away when it is well", async () => {
    const page = await open();
    await region(page, "Gateway").getByText("Running").waitFor();
    const file = join(scene.gateway.stateDir, "config.json");
    const good = readFileSync(file, "utf8");
    writeFileSync(file, "{ broken");
    const trouble = page.getByText("The config file on disk cannot be used");
    await trouble.waitFor();
    await page.getByRole("link", { name: "Open config" }).waitFor();
    writeFileSync(file, good);
    await trouble.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Reload config" }).click();
    await page.getByText("The config file holds what is already in effect.").waitFor();
  });

  it("draws what the process did in the last minutes, once there are two samples", async () => {
    const page = await open();
    const cpu = page.getByRole("img", { name: /^CPU: of one core \d/ });
    await cpu.locator("canvas").waitFor({ timeout: 15_000 });
    await page
      .getByRole("img", { name: /^Requests per second: Answered .*, Errors 0$/ })
      .locator("canvas")
      .waitFor();
  });

  it("leaves out what asks a plugin that is off, and brings it back with it", async () => {
    const page = await open({ allow: /Failed to load resource|WebSocket/ });
    for (const id of ["metrics", "sentinel", "usage"]) await scene.call("plugins.disable", { id });
    await page.getByText("Switched off, so not shown here: metrics, sentinel, usage.").waitFor();
    expect(await page.getByRole("region", { name: /^(Last 15 minutes|Health|Usage)$/ }).count()).toBe(0);
    expect(await page.getByRole("alert").count()).toBe(0);
    for (const id of ["metrics", "sentinel", "usage"]) await scene.call("plugins.enable", { id });
    await region(page, "Last 15 minutes").waitFor();
    await region(page, "Usage").getByText("alpha/good").first().waitFor();
  });

  it("restarts the gateway after a question, and goes on by itself", async () => {
    const page = await open({ allow: /Failed to load resource|WebSocket|ERR_/ });
    await page.getByRole("button", { name: "Restart gateway" }).click();
    await dialog(page, "Restart gateway").getByRole("button", { name: "Restart gateway" }).click();
    await page.getByText(/^The gateway (has restarted|restarts)/).waitFor({ timeout: 20_000 });
    await region(page, "Gateway").getByText("Running").waitFor();
  });

  it("is at hand on a phone, in Chinese and in the dark, and offers a reader no switches", async () => {
    const { key } = await scene.call<{ key: string }>("keys.add", { name: "Reader", scopes: ["read"] });
    const page = await scene.visit({ stranger: true, phone: true, dark: true, locale: "zh-CN", allow: /401/ });
    await page.getByLabel("令牌、密码或 API 密钥").fill(key);
    await page.keyboard.press("Enter");
    await page.evaluate(() => {
      location.hash = "#/dashboard";
    });
    await region(page, "网关").getByText("运行中").waitFor();
    await region(page, "用量").getByText("alpha/good").first().waitFor();
    expect(await page.getByRole("button", { name: "重启网关" }).count()).toBe(0);
    expect(await sideways(page)).toBe(false);
    expect(await barriers(page)).toEqual([]);
  });
});
