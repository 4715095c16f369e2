/** A disk that is full, limited or read-only under a gateway that runs: it serves on, says what is wrong, and writes nothing by halves. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { disks } from "./disks.ts";
import { type Answer, call, chat, history, stop, writeConfig } from "./kit.ts";

const root = process.getuid?.() === 0;

const litter = (stateDir: string) =>
  readdirSync(stateDir, { recursive: true })
    .map(String)
    .filter((name) => /\.tmp$|\.lock\b|\.part$/.test(name) && !name.startsWith("gateway.json"));

describe.each(disks)("with %s", (_name, make) => {
  it("a config write is refused whole, with the reason; the old file stays and the config goes on", async () => {
    const disk = await make();
    const gateway = await disk.start();
    disk.fill();
    const file = join(disk.stateDir, "config.json");
    const before = readFileSync(file, "utf8");
    const refused = await writeConfig(gateway, { notes: "x".repeat(400_000) });
    expect(refused.status).toBe(500);
    expect(refused.text).toContain(`the config ${file} cannot be written`);
    expect(refused.text).toMatch(/the disk is full|the file may not grow/);
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(litter(disk.stateDir)).toEqual([]);
    expect((await gateway.fetch("/ready")).status).toBe(200);
    await stop(gateway);
  });

  it("messages that no longer fit are refused, every acknowledged one is kept, and space makes it work again", async () => {
    const disk = await make();
    const gateway = await disk.start();
    disk.fill();
    const kept: string[] = ["before"];
    let refused: Answer | undefined;
    for (let i = 0; i < 400 && !refused; i += 1) {
      const text = `${i} ${"y".repeat(8000)}`;
      const answer = await chat(gateway, `/echo ${text}`);
      if (answer.status === 200) kept.push(text);
      else refused = answer;
    }
    expect(refused?.status).toBeGreaterThanOrEqual(500);
    expect(refused?.text).toMatch(/database .*chela\.db/);
    expect(refused?.text).toMatch(/full|failed/);
    expect((await gateway.fetch("/health")).status).toBe(200);
    expect(await history(gateway)).toEqual(expect.arrayContaining(kept));
    const backup = await call(gateway, "store.backup", { file: "copy.db" });
    const copies = readdirSync(join(disk.stateDir, "data", "store"), { recursive: true }).map(String);
    expect(copies.filter((name) => name.endsWith("copy.db"))).toHaveLength(backup.status === 200 ? 1 : 0);
    expect(litter(disk.stateDir)).toEqual([]);
    await stop(gateway);
    disk.free();
    const roomy = await startGateway({ stateDir: disk.stateDir });
    expect((await history(roomy)).filter((text) => !text.startsWith("/echo"))).toEqual(kept);
    expect(await chat(roomy, "/echo after")).toMatchObject({ status: 200 });
  });

  it("log lines get lost, which health says, and nothing else is; the file goes on once there is room", async () => {
    const disk = await make();
    const gateway = await disk.start();
    disk.fill();
    const log = join(disk.stateDir, "logs", "chela.log");
    await writeConfigFile(disk.stateDir, "debug");
    await until(async () => (await levelOf(gateway)) === "debug", 5000, "the debug level");
    const trouble = await until(
      async () => {
        await Promise.all(Array.from({ length: 40 }, () => gateway.fetch(`/api/${"n".repeat(2000)}`)));
        return logTrouble(gateway);
      },
      20_000,
      "the log file to fail",
    );
    expect(trouble.reason).toMatch(/ENOSPC|EFBIG/);
    expect((await gateway.fetch("/api/logs/recent?limit=5")).status).toBeLessThan(500);
    expect((await chat(gateway, "/echo hello")).status).toBeLessThan(600);
    for (const line of readFileSync(log, "utf8").split("\n").slice(0, -1)) JSON.parse(line);
    expect((await gateway.fetch("/health")).status).toBe(200);
    if (disk.free()) await until(async () => !(await logTrouble(gateway)), 10_000, "the log file to be written again");
    await stop(gateway);
  });

  it("an install is refused whole: nothing of it is left, and what runs goes on", async () => {
    const disk = await make();
    const gateway = await disk.start();
    disk.fill();
    const source = tempDir("source");
    cpSync(new URL("../fixtures/plugins/good", import.meta.url), source, { recursive: true });
    writeFileSync(join(source, "asset.txt"), "x".repeat(400_000));
    const refused = await call(gateway, "plugins.install", { source });
    expect(refused.status, refused.text).toBeGreaterThanOrEqual(400);
    expect(refused.text).toMatch(/ENOSPC|EFBIG|full|may not grow/);
    expect(readdirSync(join(disk.stateDir, "plugins"), { recursive: true }).map(String)).not.toContain("good");
    expect((await call(gateway, "plugins.list", {})).text).not.toContain('"good"');
    expect((await gateway.fetch("/ready")).status).toBe(200);
    await stop(gateway);
  });
});

/** In place, as an editor on a full disk still can: the same size. */
async function writeConfigFile(stateDir: string, level: string): Promise<void> {
  const file = join(stateDir, "config.json");
  const text = readFileSync(file, "utf8").replace(/"level": "\w+"/, `"level": "${level}"`);
  const { openSync, writeSync, ftruncateSync, closeSync } = await import("node:fs");
  const handle = openSync(file, "r+");
  writeSync(handle, text, 0);
  ftruncateSync(handle, Buffer.byteLength(text));
  closeSync(handle);
}

async function levelOf(gateway: RunningGateway): Promise<string | undefined> {
  const config = (await (await gateway.fetch("/api/config")).json()) as { logging: { level?: string } };
  return config.logging.level;
}

async function logTrouble(gateway: RunningGateway): Promise<{ reason: string; lost: number } | undefined> {
  const { text } = await call(gateway, "gateway.health", {});
  const { result } = JSON.parse(text) as {
    result: { checks: { plugin: string; ok: boolean; reason: string; lost: number }[] };
  };
  return result.checks.find(({ plugin, ok }) => plugin === "logs" && !ok);
}

describe("a read-only state dir", () => {
  /** Root passes every permission check, so it runs as nobody. */
  const uid = root ? 65534 : undefined;
  const setMode = (stateDir: string, mode: number) => {
    for (const folder of [stateDir, join(stateDir, "backups"), join(stateDir, "logs")]) {
      if (existsSync(folder)) chmodSync(folder, mode);
    }
  };

  async function ownState(): Promise<string> {
    const stateDir = tempDir("readonly");
    if (root) execFileSync("chown", ["65534", stateDir]);
    return stateDir;
  }

  it("refuses a start with the path and what to do", async () => {
    const stateDir = await ownState();
    chmodSync(stateDir, 0o555);
    onTestFinished(() => chmodSync(stateDir, 0o755));
    const gateway = await startGateway({ stateDir, bare: true, uid });
    expect(await gateway.ended).toBe(1);
    expect(gateway.output().stderr).toContain(stateDir);
    expect(gateway.output().stderr).not.toMatch(/\n\s+at /);
  });

  it("under a gateway that runs: config writes are refused, everything else goes on, and it stops in good order", async () => {
    const stateDir = await ownState();
    const gateway = await startGateway({ stateDir, uid });
    expect((await writeConfig(gateway, { logging: { retention_days: 5 } })).status).toBe(200);
    const before = readFileSync(join(stateDir, "config.json"), "utf8");
    setMode(stateDir, 0o555);
    onTestFinished(() => setMode(stateDir, 0o755));
    const refused = await writeConfig(gateway, { logging: { retention_days: 6 } });
    expect(refused).toMatchObject({ status: 500, text: expect.stringContaining("permission denied") });
    expect(readFileSync(join(stateDir, "config.json"), "utf8")).toBe(before);
    expect((await chat(gateway, "/echo hello")).status).toBe(200);
    expect((await gateway.fetch("/ready")).status).toBe(200);
    setMode(stateDir, 0o755);
    expect((await writeConfig(gateway, { logging: { retention_days: 7 } })).status).toBe(200);
    setMode(stateDir, 0o555);
    await stop(gateway);
  });
});
