/** The dashboard on a gateway that works, that fails in parts, and whose parts are switched off. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";
import { barriers, dialog, isTooWide, readers, stage } from "./kit.ts";
import { pattern } from "./words.ts";

describe.each(readers)("$name:", ({ w, ...look }) => {
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
    const page = await scene.visit({ ...look, at: "#/dashboard", ...how });
    await page.getByRole("heading", { level: 1 }).waitFor();
    return page;
  }

  const region = (page: Page, name: string) => page.getByRole("region", { name });

  describe("the dashboard", () => {
    it("tells how the gateway does, in charts that are tables, too", async () => {
      const page = await open();
      const gateway = region(page, w("dashboard.status"));
      await gateway.getByText(w("dashboard.running")).waitFor();
      for (const fact of [w("dashboard.bind.local"), process.version, scene.gateway.url])
        await gateway.getByText(fact).first().waitFor();
      await region(page, w("dashboard.startup")).getByRole("link", { name: "store" }).waitFor();
      const usage = region(page, w("dashboard.usage"));
      const chart = w("dashboard.usage.chart", {
        measure: w("dashboard.usage.cost"),
        split: w("dashboard.usage.model"),
      });
      await usage
        .getByRole("img", { name: pattern(chart, "alpha/good", "$0.0") })
        .locator("canvas")
        .waitFor();
      await usage.getByText(w("ui.chart.table")).click();
      const rows = usage.getByRole("region", { name: chart }).getByRole("row");
      await expect.poll(() => rows.count()).toBe(8);
      await usage.getByText(`Laptop · ${w("dashboard.usage.cost")}, ${w("dashboard.budgets.per.day")}`).waitFor();
      await usage.getByRole("button", { name: w("dashboard.usage.days", { n: 30 }) }).click();
      await expect.poll(() => rows.count()).toBe(31);
      await usage.getByRole("combobox", { name: w("dashboard.usage.by"), exact: true }).selectOption("identity");
      await usage.getByRole("rowheader", { name: "token" }).waitFor();
      expect(await barriers(page)).toEqual([]);
    });

    it("shows who cools down, why and until when, and ends it", async () => {
      await expect(scene.call("providers.test", { model: "alpha/busy" })).rejects.toThrow();
      const page = await open();
      const providers = region(page, w("dashboard.providers"));
      await providers.getByText(pattern("busy · ", `${w("dashboard.reason.rate_limit")} · `)).waitFor();
      await region(page, w("dashboard.logs")).getByText("alpha/busy failed").first().waitFor();
      await providers.getByRole("button", { name: w("dashboard.providers.clearOf", { provider: "alpha" }) }).click();
      await page.getByText(w("dashboard.providers.cleared", { n: 1 })).waitFor();
      await expect.poll(() => providers.getByText(w("dashboard.providers.rest")).count()).toBe(0);
    });

    it("walks through a day of health by keyboard, and runs every check on demand", async () => {
      const page = await open();
      const strip = page.getByRole("slider", { name: w("dashboard.health.day") });
      await strip.focus();
      await page.keyboard.press("Home");
      await page
        .getByText(pattern(w("dashboard.health.at", { status: w("dashboard.health.none") })))
        .first()
        .waitFor();
      expect(await strip.getAttribute("aria-valuenow")).toBe("0");
      await page.getByRole("button", { name: w("dashboard.check") }).click();
      const checks = dialog(page, w("dashboard.check.title"));
      await checks.getByText(pattern(w("dashboard.check.ok"))).waitFor();
      await checks.getByRole("row", { name: /store/ }).waitFor();
      expect(await barriers(page)).toEqual([]);
    });

    it("says at the top what is wrong with config and plugins, and takes it away when it is well", async () => {
      const page = await open();
      await region(page, w("dashboard.status")).getByText(w("dashboard.running")).waitFor();
      const file = join(scene.gateway.stateDir, "config.json");
      const good = readFileSync(file, "utf8");
      writeFileSync(file, "{ broken");
      const trouble = page.getByText(w("dashboard.trouble"));
      await trouble.waitFor();
      await page.getByRole("link", { name: w("dashboard.toConfig") }).waitFor();
      writeFileSync(file, good);
      await trouble.waitFor({ state: "detached" });
      await page.getByRole("button", { name: w("dashboard.reload") }).click();
      await page.getByText(w("dashboard.reload.same")).waitFor();
    });

    it("draws what the process did in the last minutes, once there are two samples", async () => {
      const page = await open();
      const cpu = page.getByRole("img", {
        name: new RegExp(`${pattern(w("dashboard.cpu"), w("dashboard.cpu.one")).source} \\d`),
      });
      await cpu.locator("canvas").waitFor({ timeout: 15_000 });
      await page
        .getByRole("img", {
          name: pattern(w("dashboard.requests"), w("dashboard.requests.all"), `${w("dashboard.requests.errors")} 0`),
        })
        .locator("canvas")
        .waitFor();
    });

    it("leaves out what asks a plugin that is off, and brings it back with it", async () => {
      const page = await open({ allow: /Failed to load resource|WebSocket/ });
      for (const id of ["metrics", "sentinel", "usage"]) await scene.call("plugins.disable", { id });
      await page.getByText(w("dashboard.off", { plugins: "metrics, sentinel, usage" })).waitFor();
      for (const key of ["dashboard.live", "dashboard.health", "dashboard.usage"] as const)
        expect(await page.getByRole("region", { name: w(key), exact: true }).count()).toBe(0);
      expect(await page.getByRole("alert").count()).toBe(0);
      for (const id of ["metrics", "sentinel", "usage"]) await scene.call("plugins.enable", { id });
      await region(page, w("dashboard.live")).waitFor();
      await region(page, w("dashboard.usage")).getByText("alpha/good").first().waitFor();
      // What nobody sees is asked for when somebody does again.
      const go = (hash: string) => page.evaluate((to) => location.assign(to), hash);
      await go("#/keys");
      await page.getByRole("heading", { level: 1, name: w("keys.title") }).waitFor();
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.postData() ?? ""));
      const isAsked = (method: string) => asked.some((body) => body.includes(`"${method}"`));
      await scene.call("plugins.reload", { id: "weixin" });
      await expect.poll(() => isAsked("gateway.status")).toBe(true);
      expect(isAsked("sentinel.history")).toBe(false);
      await go("#/dashboard");
      await expect.poll(() => isAsked("sentinel.history")).toBe(true);
    });

    it("restarts the gateway after a question, and goes on by itself", async () => {
      const page = await open({ allow: /Failed to load resource|WebSocket|ERR_/ });
      await page.getByRole("button", { name: w("ui.restart") }).click();
      await dialog(page, w("ui.restart"))
        .getByRole("button", { name: w("ui.restart") })
        .click();
      await page.getByText(pattern(`${w("ui.restart.done")}|${w("ui.restart.cut")}`)).waitFor({ timeout: 20_000 });
      await region(page, w("dashboard.status")).getByText(w("dashboard.running")).waitFor();
    });

    it("is at hand in the dark, and offers a reader no switches", async () => {
      const { key } = await scene.call<{ key: string }>("keys.add", { name: "Reader", scopes: ["read"] });
      const page = await scene.visit({ ...look, stranger: true, dark: true, allow: /401/ });
      await page.getByLabel(w("login.credential")).fill(key);
      await page.keyboard.press("Enter");
      await page.evaluate(() => {
        location.hash = "#/dashboard";
      });
      await region(page, w("dashboard.status")).getByText(w("dashboard.running")).waitFor();
      await region(page, w("dashboard.usage")).getByText("alpha/good").first().waitFor();
      expect(await page.getByRole("button", { name: w("ui.restart") }).count()).toBe(0);
      expect(await isTooWide(page)).toBe(false);
      expect(await barriers(page)).toEqual([]);
    });
  });
});
