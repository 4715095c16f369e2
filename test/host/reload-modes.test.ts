/** `gateway.reload.mode`: what each mode applies, what it holds back, and that the answer tells the truth. */
import { type Context, definePlugin, Type } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";

interface Section {
  readonly warm: number;
  readonly cold: number;
}

let setups = 0;
const subject = definePlugin({
  id: "subject",
  version: "1.0.0",
  host: "^1.0.0",
  config: Type.Object({ warm: Type.Integer({ default: 0 }), cold: Type.Integer({ default: 0 }) }),
  hot: ["warm"],
  setup(ctx: Context<Section>) {
    setups += 1;
    const born = setups;
    ctx.route({ method: "GET", path: "/subject", access: "read", handler: () => ({ born, ...ctx.config }) });
  },
});

async function seen(host: TestHost): Promise<{ born: number; warm: number; cold: number }> {
  return (await host.request("/subject")).json() as { born: number; warm: number; cold: number };
}

const warm = "plugins.entries.subject.config.warm";
const cold = "plugins.entries.subject.config.cold";
const both = [
  { path: warm, value: 1 },
  { path: cold, value: 1 },
];
const who = { who: "test" };
const inMode = (mode: string) => ({ gateway: { reload: { mode } } });

describe("gateway.reload.mode", () => {
  it("hybrid applies the least that suffices", async () => {
    await using host = await startHost({ plugins: [subject] });
    const { born } = await seen(host);
    expect(await host.config.write([{ path: warm, value: 1 }], who)).toMatchObject({
      applied: [warm],
      restarted: [],
      pending: [],
    });
    expect(await seen(host)).toEqual({ born, warm: 1, cold: 0 });
    expect(await host.config.write([{ path: cold, value: 1 }], who)).toMatchObject({
      restarted: ["subject"],
      pending: [],
    });
    expect(await seen(host)).toEqual({ born: born + 1, warm: 1, cold: 1 });
  });

  it("hot applies what is hot and lists the rest as pending; a later restart applies it", async () => {
    await using host = await startHost({ plugins: [subject], config: inMode("hot") });
    const { born } = await seen(host);
    expect(await host.config.write(both, who)).toMatchObject({ applied: [warm], restarted: [], pending: [cold] });
    expect(await seen(host)).toEqual({ born, warm: 1, cold: 0 });
    expect(host.config.pending()).toEqual([cold]);
    await host.plugins.disable("subject", "test");
    expect(host.config.pending()).toContain("plugins.entries.subject.enabled");
    await host.config.write([{ path: "plugins.entries.subject.enabled", value: true }], who);
    expect(await host.config.write([{ path: "gateway.reload.mode", value: "hybrid" }], who)).toMatchObject({
      pending: [],
    });
    expect(await seen(host)).toMatchObject({ warm: 1, cold: 1 });
  });

  it("off applies nothing, and says what waits", async () => {
    await using host = await startHost({ plugins: [subject], config: inMode("off") });
    const before = await seen(host);
    expect(await host.config.write(both, who)).toMatchObject({ applied: [], restarted: [], pending: [warm, cold] });
    expect(await seen(host)).toEqual(before);
  });

  it("a full restart applies what waits, in any mode", async () => {
    await using host = await startHost({ plugins: [subject], config: inMode("off") });
    await host.config.write(both, who);
    await host.gateway.restart({ full: true, why: "test" });
    expect(host.config.pending()).toEqual([]);
    expect(await seen(host)).toMatchObject({ warm: 1, cold: 1 });
  });

  it("restart sets everything up anew for any change", async () => {
    await using host = await startHost({ plugins: [subject], config: inMode("restart") });
    const { born } = await seen(host);
    expect(await host.config.write([{ path: warm, value: 1 }], who)).toMatchObject({ restarted: ["subject"] });
    expect(await seen(host)).toEqual({ born: born + 1, warm: 1, cold: 0 });
  });

  it("the plan is the same as the change, and touches nothing", async () => {
    await using host = await startHost({ plugins: [subject] });
    const before = host.config.hash();
    const rows = await host.config.plan([
      ...both,
      { path: "gateway.port", value: 4711 },
      { path: "unknown.key", value: 1 },
    ]);
    expect([...rows].sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: "gateway.port", class: "restart-gateway", owner: "gateway" },
      { path: cold, class: "restart-plugin", owner: "subject" },
      { path: warm, class: "hot", owner: "subject" },
      { path: "unknown.key", class: "none", owner: "" },
    ]);
    expect(host.config.hash()).toBe(before);
  });

  it("a key that nobody owns is kept in the file and does nothing", async () => {
    await using host = await startHost({ plugins: [subject] });
    const result = await host.config.write([{ path: "sentinel.enabled", value: true }], who);
    expect(result).toMatchObject({ applied: [], restarted: [], pending: [], failed: [] });
    expect(host.config.file()).toEqual({ sentinel: { enabled: true } });
  });
});

describe("auth and bind in one write", () => {
  it("refuses to open the gateway to everyone, whatever the order of the keys", async () => {
    await using host = await startHost({ plugins: [subject], port: 0 });
    const open = [
      { path: "gateway.bind", value: "lan" },
      { path: "gateway.auth.mode", value: "none" },
    ];
    await expect(host.config.write(open, who)).rejects.toThrow(/gateway\.auth/);
    expect((await fetch(`${host.url}/subject`)).status).toBe(401);
  });
});
