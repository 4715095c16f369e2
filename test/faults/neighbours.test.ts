/** What others do to a gateway that runs: hold its database, leave its output, bring a config of a later version, turn the clock. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadDriver } from "../../plugins/store/driver.ts";
import { startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { type Answer, chat, history, plugin, result, stop, writeConfig } from "./kit.ts";

/** The test is the other process. The database is held until the returned function is called, or the test ends. */
async function hold(stateDir: string, how: string): Promise<() => void> {
  const connection = (await loadDriver()).open(join(stateDir, "data", "store", "chela.db"));
  let held = true;
  const release = () => {
    if (held) connection.close();
    held = false;
  };
  onTestFinished(release);
  connection.exec(how);
  return release;
}

function withConfig(config: object | string): string {
  const stateDir = tempDir("neighbours");
  writeFileSync(join(stateDir, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return stateDir;
}

describe("a database that another process has locked", () => {
  it("refuses writes with a sentence after the wait, serves reads and everybody else meanwhile, and goes on when it is let go", async () => {
    const gateway = await startGateway({ stateDir: withConfig({ store: { busy_ms: 1500 } }) });
    await chat(gateway, "/echo before");
    const release = await hold(gateway.stateDir, "BEGIN EXCLUSIVE");
    let answer: Answer | undefined;
    void chat(gateway, "/echo meanwhile").then((refused) => {
      answer = refused;
    });
    let slowest = 0;
    await until(async () => {
      const from = performance.now();
      await gateway.fetch("/api/version");
      slowest = Math.max(slowest, performance.now() - from);
      return answer !== undefined;
    });
    expect(answer).toMatchObject({
      status: 503,
      text: expect.stringMatching(/chela\.db is locked by another process/),
    });
    expect(slowest).toBeLessThan(1400);
    expect(await history(gateway)).toEqual(["/echo before", "before"]);
    expect((await gateway.fetch("/ready")).status).toBe(200);
    release();
    expect((await chat(gateway, "/echo after")).status).toBe(200);
    expect(await history(gateway)).toEqual(["/echo before", "before", "/echo after", "after"]);
    await stop(gateway);
  });

  it("ends a start with 4 and the file's name, and the next start finds everything", async () => {
    const first = await startGateway({ stateDir: withConfig({ store: { busy_ms: 300 } }) });
    await chat(first, "/echo kept");
    await stop(first);
    const release = await hold(first.stateDir, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    const refused = await startGateway({ stateDir: first.stateDir, bare: true });
    expect(await refused.ended).toBe(4);
    expect(refused.output().stderr).toMatch(/chela\.db is locked by another process/);
    expect(refused.output().stderr.trim().split("\n").at(-1)).toMatch(/then try again$/);
    release();
    const again = await startGateway({ stateDir: first.stateDir });
    expect(await history(again)).toEqual(["/echo kept", "kept"]);
  });
});

describe("a config of a later version", () => {
  const later = `{
  "configVersion": 99,
  "hologram": { "depth": 3, "lasers": ["a", "b"] }, // not known yet
  "gateway": { "quantum": { "bits": 8 }, "reload": { "mode": "hybrid", "telepathy": true } },
  "logging": { "level": "warn", "emoji": true },
  "plugins": { "entries": { "teleport": { "enabled": true, "config": { "range": 7 } } } },
}
`;

  it("is read as well as it can be: it starts, says what it does not know, and keeps every word of it", async () => {
    const stateDir = withConfig(later);
    const gateway = await startGateway({ stateDir });
    const status = await result<{ config: { problems: { path: string; level: string }[]; trouble: unknown } }>(
      gateway,
      "gateway.status",
    );
    const warned = status.config.problems.map(({ path }) => path);
    expect(warned).toEqual(expect.arrayContaining(["configVersion", "hologram", "gateway.quantum", "logging.emoji"]));
    expect(new Set(status.config.problems.map(({ level }) => level))).toEqual(new Set(["warning"]));
    expect(status.config.trouble).toBeNull();
    expect(readFileSync(join(stateDir, "config.json"), "utf8")).toBe(later);
    expect((await writeConfig(gateway, { logging: { retention_days: 9 } })).status).toBe(200);
    const written = readFileSync(join(stateDir, "config.json"), "utf8");
    expect(written).toContain("// not known yet");
    for (const line of later.split("\n").filter((text) => !text.includes("logging"))) expect(written).toContain(line);
    expect(written).toMatch(/"emoji": true/);
    await stop(gateway);
  });

  it("turns off the one plugin whose section it breaks, and names the key", async () => {
    const gateway = await startGateway({ stateDir: withConfig({ metrics: 1, logging: { max_size_mb: "tiny" } }) });
    expect(await plugin(gateway, "logs")).toMatchObject({
      reason: expect.stringContaining("logging.max_size_mb must"),
    });
    expect((await plugin(gateway, "logs"))?.state).not.toBe("running");
    expect((await chat(gateway, "/echo hello")).status).toBe(200);
    await stop(gateway);
  });
});

describe("whoever reads its output", () => {
  it("may leave: the gateway goes on, at every level, and stops in good order", async () => {
    const gateway = await startGateway({ args: ["--verbose"] });
    gateway.child.stdout?.destroy();
    gateway.child.stderr?.destroy();
    for (let i = 0; i < 20; i += 1) expect((await chat(gateway, "/echo hello")).status).toBe(200);
    expect((await gateway.fetch("/ready")).status).toBe(200);
    await stop(gateway);
  });

  it("may stop reading: lines are dropped, no request waits for them", async () => {
    const gateway = await startGateway({ args: ["--verbose"] });
    gateway.child.stdout?.pause();
    gateway.child.stderr?.pause();
    const long = `/api/${"n".repeat(6000)}`;
    let slowest = 0;
    for (let i = 0; i < 12; i += 1) {
      const from = performance.now();
      await Promise.all(Array.from({ length: 20 }, () => gateway.fetch(long)));
      slowest = Math.max(slowest, performance.now() - from);
    }
    expect(slowest).toBeLessThan(5000);
    expect((await gateway.fetch("/ready")).status).toBe(200);
    gateway.child.stderr?.resume();
    gateway.child.stdout?.resume();
    await stop(gateway);
  });
});
