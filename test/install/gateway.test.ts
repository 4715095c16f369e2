import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PluginRow } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { type CliResult, runCli } from "../kit/cli.ts";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { type PluginShape, pluginFolder, tarball } from "./kit.ts";

function chela(stateDir: string, ...args: string[]): Promise<CliResult> {
  return runCli([...args, "--json"], { env: { CHELA_STATE_DIR: stateDir }, cwd: tempDir("cwd") });
}

async function row(stateDir: string, id = "weather"): Promise<PluginRow | undefined> {
  const rows = (await chela(stateDir, "plugins", "list")).json<PluginRow[]>();
  return rows.find((plugin) => plugin.id === id);
}

/** A plugin whose route tells its version and settings. */
function source(shape: PluginShape = {}): string {
  const folder = pluginFolder(shape);
  const { version = "1.0.0" } = shape;
  writeFileSync(
    join(folder, "index.js"),
    `import { definePlugin, Type } from "@chela/sdk";
${shape.before ?? ""}
export default definePlugin({
  id: "weather", version: ${JSON.stringify(version)}, host: "^1.0.0", ${shape.definition ?? ""}
  config: Type.Object({ city: Type.String({ default: "Bern" }), units: Type.String({ default: "C" }) }),
  hot: ["units"],
  setup(ctx) {
    let calls = 0;
    ctx.route({ method: "GET", path: "/api/weather", access: "read", handler: () => ({ version: ${JSON.stringify(version)}, calls: ++calls, ...ctx.config }) });
  },
});
`,
  );
  return folder;
}

/** An upgrade with one text of its code replaced. */
function spoilt(text: string, by: string): string {
  const folder = source({ version: "1.1.0" });
  const file = join(folder, "index.js");
  writeFileSync(file, readFileSync(file, "utf8").replace(text, by));
  return folder;
}

async function ask(gateway: RunningGateway): Promise<{ status: number; body: Record<string, unknown> }> {
  const reply = await gateway.fetch("/api/weather");
  return { status: reply.status, body: reply.ok ? ((await reply.json()) as Record<string, unknown>) : {} };
}

describe("without a gateway", () => {
  it("installs, lists, says what is done already, and uninstalls", { timeout: 60_000 }, async () => {
    const stateDir = tempDir("state");
    const from = source();
    const first = await chela(stateDir, "plugins", "install", from);
    expect(first.stderr).toBe("");
    expect(first.json()).toMatchObject({ id: "weather", version: "1.0.0", previous: null, changed: true });
    expect((await chela(stateDir, "plugins", "install", from)).json()).toMatchObject({ changed: false });
    expect(await row(stateDir)).toMatchObject({ version: "1.0.0", origin: "installed" });
    expect((await chela(stateDir, "plugins", "install", source({ version: "1.1.0" }))).json()).toMatchObject({
      version: "1.1.0",
      previous: "1.0.0",
    });
    expect((await chela(stateDir, "plugins", "uninstall", "weather")).code).toBe(0);
    expect((await chela(stateDir, "plugins", "uninstall", "weather")).json()).toMatchObject({ changed: false });
    expect(readdirSync(join(stateDir, "plugins"))).not.toContain("weather");
    const unknown = await chela(stateDir, "plugins", "uninstall", "no-such");
    expect(unknown.code).not.toBe(0);
    const builtin = await chela(stateDir, "plugins", "uninstall", "chat");
    expect(builtin.code).not.toBe(0);
    expect(`${builtin.stdout}${builtin.stderr}`).toContain("part of Chela");
  });

  it("refuses a hostile archive with a sentence and no stack", async () => {
    const stateDir = tempDir("state");
    const refused = await runCli(["plugins", "install", tarball({ "package.json": "{}" })], {
      env: { CHELA_STATE_DIR: stateDir },
    });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("package name");
    expect(refused.stderr).not.toContain("    at ");
  });
});

describe("under a running gateway", () => {
  it("installs, upgrades, reconfigures, disables and uninstalls without a failed request", {
    timeout: 120_000,
  }, async () => {
    const gateway = await startGateway();
    const { stateDir } = gateway;
    expect((await chela(stateDir, "plugins", "install", source())).json()).toMatchObject({
      id: "weather",
      changed: true,
    });
    expect(await ask(gateway)).toMatchObject({ status: 200, body: { version: "1.0.0", city: "Bern", units: "C" } });

    const failures: string[] = [];
    const versions = new Set<unknown>();
    let running = true;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) {
          const { status, body } = await ask(gateway);
          if (status !== 200) failures.push(String(status));
          versions.add(body.version);
        }
      }),
    );
    for (const version of ["1.1.0", "1.2.0", "1.1.0", "2.0.0"]) {
      expect((await chela(stateDir, "plugins", "install", source({ version }))).json()).toMatchObject({
        version,
        changed: true,
      });
      await until(() => versions.has(version), 5000, `${version} to answer`);
    }
    expect((await chela(stateDir, "config", "set", "plugins.entries.weather.config.units", "F")).json()).toMatchObject({
      restarted: [],
    });
    expect(
      (await chela(stateDir, "config", "set", "plugins.entries.weather.config.city", "Oslo")).json(),
    ).toMatchObject({ restarted: ["weather"] });
    running = false;
    await load;
    expect(failures).toEqual([]);
    expect(await ask(gateway)).toMatchObject({ body: { version: "2.0.0", city: "Oslo", units: "F" } });

    const folders = readdirSync(join(stateDir, "plugins/weather"));
    expect(folders.length).toBeLessThanOrEqual(2);
    expect((await chela(stateDir, "plugins", "disable", "weather")).code).toBe(0);
    expect((await ask(gateway)).status).toBe(404);
    expect((await chela(stateDir, "plugins", "enable", "weather")).code).toBe(0);
    expect((await ask(gateway)).status).toBe(200);
    expect((await chela(stateDir, "plugins", "uninstall", "weather")).code).toBe(0);
    expect((await ask(gateway)).status).toBe(404);
    expect((await chela(stateDir, "plugins", "uninstall", "weather")).code).toBe(0);
    expect(await row(stateDir)).toBeUndefined();
    expect((await gateway.fetch("/health")).status).toBe(200);
  });

  it("goes on with the version before when an upgrade does not start, also after a restart", {
    timeout: 60_000,
  }, async () => {
    const gateway = await startGateway();
    const { stateDir } = gateway;
    await chela(stateDir, "plugins", "install", source());
    const bad = spoilt("setup(ctx) {", "setup(ctx) { throw new Error('no luck');");
    const refused = await chela(stateDir, "plugins", "install", bad);
    expect(refused.code).toBe(1);
    expect(refused.json()).toMatchObject({
      ok: false,
      version: "1.0.0",
      changed: false,
      failed: [{ id: "weather", reason: expect.stringContaining("no luck") }],
    });
    expect(await ask(gateway)).toMatchObject({ status: 200, body: { version: "1.0.0" } });
    expect(await row(stateDir)).toMatchObject({ version: "1.0.0", state: "running", reason: "" });
    gateway.signal("SIGTERM");
    expect(await gateway.ended).toBe(0);
    const again = await startGateway({ stateDir });
    expect(await ask(again)).toMatchObject({ status: 200, body: { version: "1.0.0" } });
    expect((await chela(stateDir, "plugins", "install", source({ version: "1.2.0" }))).json()).toMatchObject({
      version: "1.2.0",
      changed: true,
    });
    expect(await ask(again)).toMatchObject({ status: 200, body: { version: "1.2.0" } });
  });

  it("blames the upgrade, not the plugin that runs, when the two register the same route", {
    timeout: 60_000,
  }, async () => {
    const gateway = await startGateway();
    const { stateDir } = gateway;
    await chela(stateDir, "plugins", "install", source());
    const bad = spoilt('"/api/weather"', '"/api/chat/history"');
    expect((await chela(stateDir, "plugins", "install", bad)).json()).toMatchObject({
      version: "1.0.0",
      changed: false,
      failed: [{ id: "weather", reason: expect.stringContaining("/api/chat/history") }],
    });
    expect(await ask(gateway)).toMatchObject({ status: 200, body: { version: "1.0.0" } });
    expect((await chela(stateDir, "plugins", "doctor")).code).toBe(0);
    const again = await runCli(["plugins", "reload", "weather"], { env: { CHELA_STATE_DIR: stateDir } });
    expect(again.stderr).toContain("comes with: chela plugins update weather");
  });

  it("keeps a first version that does not start, with the reason, and the gateway does not care", {
    timeout: 60_000,
  }, async () => {
    const gateway = await startGateway();
    const done = await runCli(
      [
        "plugins",
        "install",
        source({
          before: "let n = 0;",
          definition: 'section: "x", needs: { no: { service: "no-such", range: "^1.0.0" } },',
        }),
      ],
      {
        env: { CHELA_STATE_DIR: gateway.stateDir },
      },
    );
    expect(done.stdout).toContain("needs no-such ^1.0.0");
    expect(await row(gateway.stateDir)).toMatchObject({ state: "waiting", version: "1.0.0" });
    expect((await gateway.fetch("/ready")).status).toBe(200);
  });

  it("survives a plugin whose files were changed, and says so", { timeout: 60_000 }, async () => {
    const stateDir = tempDir("state");
    const from = source();
    await chela(stateDir, "plugins", "install", from);
    const folder = join(stateDir, "plugins/weather", readdirSync(join(stateDir, "plugins/weather"))[0]!);
    const canary = join(tempDir("canary"), "ran");
    writeFileSync(
      join(folder, "index.js"),
      `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(canary)}, "");`,
    );
    const gateway = await startGateway({ stateDir });
    expect((await gateway.fetch("/health")).status).toBe(200);
    expect(await row(stateDir)).toMatchObject({
      state: expect.stringMatching(/failed|quarantined/),
      reason: expect.stringContaining("changed since install"),
    });
    const doctor = await chela(stateDir, "plugins", "doctor");
    expect(doctor.code).not.toBe(0);
    expect(doctor.stdout).toContain("changed since install");
    expect(existsSync(canary)).toBe(false);
    expect((await chela(stateDir, "plugins", "install", from)).json()).toMatchObject({ changed: true });
    expect((await ask(gateway)).status).toBe(200);
  });

  it("starts with a broken list of plugins, and says so", { timeout: 60_000 }, async () => {
    const stateDir = tempDir("state");
    await chela(stateDir, "plugins", "install", source());
    writeFileSync(join(stateDir, "plugins/lock.json"), "{ half");
    const gateway = await startGateway({ stateDir });
    expect((await gateway.fetch("/health")).status).toBe(200);
    expect(gateway.output().stderr).toContain("lock.json does not parse");
    const doctor = await chela(stateDir, "plugins", "doctor");
    expect(doctor.stdout).toContain("lock.json does not parse");
    expect(readFileSync(join(stateDir, "plugins/lock.json"), "utf8")).toBe("{ half");
  });

  it("never imports a disabled one, and does not start one of an unknown name", { timeout: 60_000 }, async () => {
    const stateDir = tempDir("state");
    const canary = join(tempDir("canary"), "ran");
    await chela(
      stateDir,
      "plugins",
      "install",
      source({
        before: `import { appendFileSync } from "node:fs"; appendFileSync(${JSON.stringify(canary)}, String(process.ppid));`,
      }),
    );
    const installs = readFileSync(canary, "utf8");
    writeFileSync(
      join(stateDir, "config.json"),
      '{ "plugins": { "entries": { "weather": { "enabled": false }, "no-such": { "enabled": true } } } }',
    );
    const gateway = await startGateway({ stateDir });
    expect(await row(stateDir)).toMatchObject({ state: "disabled" });
    expect(readFileSync(canary, "utf8")).toBe(installs);
    expect((await chela(stateDir, "plugins", "enable", "weather")).code).toBe(0);
    expect((await ask(gateway)).status).toBe(200);
    expect(readFileSync(canary, "utf8")).not.toBe(installs);
  });
});
