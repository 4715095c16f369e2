/** Plugins that misbehave in every way: each is named with its reason, nothing of it stays, and the gateway serves. */
import { definePlugin, type Plugin, type PluginRow } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";

async function zoo(id: string): Promise<Plugin> {
  const module = (await import(`../fixtures/plugins/${id}/index.js`)) as { default: Plugin };
  return module.default;
}

const bystander = definePlugin({
  id: "bystander",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.route({ method: "GET", path: "/bystander", access: "read", handler: () => ({ ok: true }) });
  },
});

function row(rows: readonly PluginRow[], id: string): PluginRow {
  const found = rows.find((candidate) => candidate.id === id);
  if (!found) throw new Error(`no row for ${id}`);
  return found;
}

const quick = { plugins: { setupTimeoutMs: 200, drainMs: 200 } };

describe("a plugin that cannot come up", () => {
  const table = [
    ["throws-in-setup", "quarantined", /the fuse is blown/],
    ["hangs-in-setup", "quarantined", /did not finish within 200 ms/],
    ["throws-in-start", "quarantined", /no ignition/],
    ["wrong-host-range", "incompatible", /\^99\.0\.0/],
    ["undeclared-provide", "quarantined", /without listing it in `provides`/],
    ["missing-access", "quarantined", /without `access`/],
  ] as const;
  for (const [id, state, reason] of table) {
    it(`${id} is ${state}, with the reason, and nothing of it is left`, async () => {
      await using alone = await startHost({ plugins: [bystander], config: quick });
      const before = alone.census();
      await using host = await startHost({ plugins: [bystander, await zoo(id)], config: quick });
      expect(row(host.plugins.list(), id)).toMatchObject({ state, reason: expect.stringMatching(reason) as string });
      expect(host.census()).toEqual(before);
      expect((await host.request("/bystander")).json()).toEqual({ ok: true });
      expect((await host.request(`/zoo/${id}`)).status).toBe(404);
    });
  }

  it("cyclic needs wait and name the cycle", async () => {
    await using host = await startHost({
      plugins: [bystander, await zoo("cyclic-a"), await zoo("cyclic-b")],
      config: quick,
    });
    expect(row(host.plugins.list(), "cyclic-a")).toMatchObject({
      state: "waiting",
      reason: expect.stringContaining("cyclic-b") as string,
    });
    expect((await host.request("/bystander")).status).toBe(200);
  });

  it("a route or tool that another plugin has is refused, naming both owners", async () => {
    await using host = await startHost({
      plugins: [await zoo("good"), await zoo("duplicate-route"), await zoo("duplicate-tool")],
      config: quick,
    });
    expect(row(host.plugins.list(), "duplicate-route").reason).toMatch(/"good" and by "duplicate-route"/);
    expect(row(host.plugins.list(), "duplicate-tool").reason).toMatch(/"good" and by "duplicate-tool"/);
    expect((await host.request("/zoo/good")).json()).toEqual({ from: "good" });
  });

  it("switching one on that throws is taken back, and says why; the row keeps the reason", async () => {
    const config = { plugins: { entries: { "throws-in-setup": { enabled: false } } } };
    await using host = await startHost({ plugins: [bystander, await zoo("throws-in-setup")], config });
    await expect(host.plugins.enable("throws-in-setup", "test")).rejects.toThrow(/the fuse is blown/);
    expect(host.config.file()).toEqual(config);
    expect(row(host.plugins.list(), "throws-in-setup")).toMatchObject({
      state: "quarantined",
      reason: expect.stringContaining("the fuse is blown") as string,
    });
  });

  it("an unknown config key is kept and warned about, a bad value turns only this plugin off", async () => {
    const plugins = [bystander, await zoo("unknown-config-key")];
    await using tolerant = await startHost({
      plugins,
      config: { plugins: { entries: { "unknown-config-key": { config: { size: 5, colour: "red" } } } } },
    });
    expect((await tolerant.request("/zoo/config")).json()).toMatchObject({ size: 5 });
    expect(tolerant.logs().some(({ msg }) => msg.includes("colour"))).toBe(true);
    await using broken = await startHost({
      plugins,
      config: { plugins: { entries: { "unknown-config-key": { config: { size: 0 } } } } },
    });
    expect(row(broken.plugins.list(), "unknown-config-key")).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("must be >= 1") as string,
    });
    expect((await broken.request("/bystander")).status).toBe(200);
  });
});

describe("a plugin that misbehaves while it runs", () => {
  it("one that throws while letting go is stopped all the same", async () => {
    await using host = await startHost({ plugins: [bystander, await zoo("throws-in-dispose")] });
    const before = host.census();
    await host.plugins.disable("throws-in-dispose", "test");
    expect(row(host.plugins.list(), "throws-in-dispose").state).toBe("disabled");
    expect(host.logs().some(({ error }) => JSON.stringify(error ?? "").includes("stuck door"))).toBe(true);
    await host.plugins.enable("throws-in-dispose", "test");
    expect(host.census()).toEqual(before);
  });

  it("a slow release is awaited", async () => {
    await using host = await startHost({ plugins: [bystander, await zoo("slow-dispose")] });
    const from = performance.now();
    await host.plugins.disable("slow-dispose", "test");
    expect(performance.now() - from).toBeGreaterThan(250);
  });

  it("calls after the stop throw SCOPE_CLOSED", async () => {
    await using host = await startHost({ plugins: [await zoo("uses-ctx-after-close")] });
    await host.plugins.disable("uses-ctx-after-close", "test");
    const late = (globalThis as Record<symbol, unknown>)[Symbol.for("zoo.afterClose")] as () => string;
    expect(late()).toBe("SCOPE_CLOSED");
  });

  it("faults are answered with 500 without inner text, counted, and end in quarantine; release lets it try again", async () => {
    const config = { plugins: { quarantine: { faults: 5, windowSec: 60 } } };
    await using host = await startHost({ plugins: [bystander, await zoo("throws-everywhere")], config });
    const first = await host.request("/zoo/fault");
    expect(first.status).toBe(500);
    expect(first.text).not.toContain("zoo fault");
    for (let i = 0; i < 5; i += 1) expect((await host.request("/bystander")).status).toBe(200);
    await until(() => row(host.plugins.list(), "throws-everywhere").state === "quarantined");
    expect(row(host.plugins.list(), "throws-everywhere").reason).toContain("plugins release throws-everywhere");
    expect((await host.request("/zoo/fault")).status).toBe(404);
    expect((await host.request("/bystander")).status).toBe(200);
    await host.plugins.release("throws-everywhere");
    expect(row(host.plugins.list(), "throws-everywhere").state).toBe("running");
  });

  it("a sick health check is unhealthy, never an error", async () => {
    await using host = await startHost({ plugins: [await zoo("throws-everywhere")] });
    const report = await host.gateway.health();
    expect(report).toMatchObject({
      ok: false,
      checks: [{ plugin: "throws-everywhere", name: "sick", ok: false, error: "zoo fault" }],
    });
  });
});
