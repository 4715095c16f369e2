/** kill -9 while everything is being written at once: what was acknowledged is there at the next start, and nothing is half. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { call, chat, history, plugin, result, stop, writeConfig } from "./kit.ts";

/** Everything that was acknowledged so far, over all lives of the gateway. */
interface Ledger {
  /** Texts of chat turns, with their replies. */
  readonly said: string[];
  readonly keys: string[];
  /** The newest acknowledged value, and the newest that was sent. */
  config: { acked: number; sent: number };
  acks: number;
}

const rounds = 6;
const versions = ["1.0.0", "1.1.0"];

function source(version: string): string {
  const folder = tempDir("source");
  cpSync(new URL("../fixtures/plugins/good", import.meta.url), folder, { recursive: true });
  for (const name of ["package.json", "index.js"]) {
    const path = join(folder, name);
    writeFileSync(path, readFileSync(path, "utf8").replace(/(["']?version["']?: )"1\.0\.0"/, `$1"${version}"`));
  }
  return folder;
}

/** Works without end until the gateway is gone. */
async function work(gateway: RunningGateway, ledger: Ledger, sources: readonly string[]): Promise<void> {
  const forever = async (one: () => Promise<void>) => {
    try {
      for (;;) {
        await one();
        ledger.acks += 1;
      }
    } catch (error) {
      // A connection that broke: the gateway is gone, which is how every round ends.
      if (!(error instanceof TypeError)) throw error;
    }
  };
  let installs = 0;
  await Promise.all([
    forever(async () => {
      const text = `message ${ledger.said.length} of ${gateway.child.pid}`;
      expect((await chat(gateway, `/echo ${text}`)).status).toBe(200);
      ledger.said.push(text);
    }),
    forever(async () => {
      ledger.config.sent += 1;
      const value = ledger.config.sent;
      expect((await writeConfig(gateway, { logging: { retention_days: value } })).status).toBe(200);
      ledger.config.acked = value;
    }),
    forever(async () => {
      const name = `key-${gateway.child.pid}-${ledger.keys.length}`;
      ledger.keys.push((await result<{ key: string }>(gateway, "keys.add", { name, scopes: ["read"] })).key);
    }),
    forever(async () => {
      installs += 1;
      await result(gateway, "plugins.install", { source: sources[installs % sources.length] });
    }),
  ]);
}

async function check(gateway: RunningGateway, ledger: Ledger): Promise<void> {
  const { stateDir } = gateway;
  const text = readFileSync(join(stateDir, "config.json"), "utf8");
  expect(text).toContain("// kept through all of it");
  const onDisk = Number(/"retention_days": (\d+)/.exec(text)?.[1] ?? 0);
  expect(onDisk).toBeGreaterThanOrEqual(ledger.config.acked);
  expect(onDisk).toBeLessThanOrEqual(ledger.config.sent);
  const status = await result<{ safeMode: boolean; config: { trouble: unknown } }>(gateway, "gateway.status");
  expect(status).toMatchObject({ safeMode: false, config: { trouble: null } });
  const replies = (await history(gateway)).filter((line) => !line.startsWith("/echo "));
  for (const said of ledger.said) expect(replies.filter((line) => line === said)).toHaveLength(1);
  for (const key of ledger.keys) {
    expect((await gateway.fetch("/api/version", { token: key })).status).toBe(200);
  }
  expect(await plugin(gateway, "good")).toMatchObject({ state: "running", reason: "" });
  expect(versions).toContain((await result<{ version: string }>(gateway, "plugins.info", { id: "good" })).version);
  expect((await gateway.fetch("/zoo/good")).status).toBe(200);
  expect(await result(gateway, "store.integrity")).toMatchObject({ problems: [] });
}

it("kill -9 amid turns, config writes, installs and new keys loses nothing that was acknowledged", async () => {
  const stateDir = tempDir("kill");
  writeFileSync(join(stateDir, "config.json"), "{\n  // kept through all of it\n}\n");
  const sources = versions.map(source);
  const ledger: Ledger = { said: [], keys: [], config: { acked: 0, sent: 0 }, acks: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const gateway = await startGateway({ stateDir });
    if (round === 0) await result(gateway, "plugins.install", { source: sources[0] });
    await check(gateway, ledger);
    const enough = ledger.acks + 10 + round * 7;
    const working = work(gateway, ledger, sources);
    await Promise.race([working, until(() => ledger.acks >= enough, 10_000, "some of the work")]);
    gateway.signal("SIGKILL");
    expect(await gateway.ended).toBe("SIGKILL");
    await working;
  }
  const last = await startGateway({ stateDir });
  await check(last, ledger);
  expect(ledger.said.length).toBeGreaterThan(rounds);
  expect((await writeConfig(last, { logging: { retention_days: 1 } })).status).toBe(200);
  expect((await call(last, "plugins.install", { source: sources[1] })).status).toBe(200);
  await result(last, "keys.add", { name: "last", scopes: ["read"] });
  const names = readdirSync(stateDir, { recursive: true }).map(String);
  expect(names.filter((name) => /\.tmp$|\.staging|config\.json\.lock/.test(name))).toEqual([]);
  await stop(last);
}, 60_000);

it.each(["token", "gateway.json", "boot.json", "data", "logs"])(
  "kill -9 during a first start, once there is %s, leaves a state that starts",
  async (milestone) => {
    const stateDir = tempDir("kill");
    const killed = await startGateway({ stateDir, bare: true });
    await until(() => readdirSync(stateDir).includes(milestone), 10_000, milestone);
    killed.signal("SIGKILL");
    await killed.ended;
    const gateway = await startGateway({ stateDir });
    expect(await result(gateway, "gateway.status")).toMatchObject({ safeMode: false });
    expect((await chat(gateway, "/echo hello")).status).toBe(200);
    await stop(gateway);
  },
);

it("what a killed gateway left half written or half uploaded is swept up; what others write now is not", async () => {
  const stateDir = tempDir("kill");
  const dead = await startGateway({ stateDir });
  dead.signal("SIGKILL");
  await dead.ended;
  for (const folder of ["tmp", "auth", "data/keys", "data/providers/runtime"])
    mkdirSync(join(stateDir, folder), { recursive: true });
  const hex = "0123456789ab";
  const plugins = ["auth/.acme.json", "data/keys/.keys.json", "data/providers/runtime/.acme.json"].map(
    (name) => `${name}.${dead.child.pid}-${hex}.tmp`,
  );
  const gone = [
    `.boot.json.${dead.child.pid}-${hex}.tmp`,
    `config.json.lock.${dead.child.pid}-${hex}`,
    "tmp/upload",
    ...plugins,
  ];
  const kept = [`.boot.json.${process.pid}-${hex}.tmp`, "notes.2026-1", "config.json.mine"];
  for (const name of [...gone, ...kept]) writeFileSync(join(stateDir, name), "half");
  await startGateway({ stateDir });
  await until(() => gone.every((name) => !existsSync(join(stateDir, name))), 5000, "the leftovers to go");
  for (const name of kept) expect(existsSync(join(stateDir, name)), name).toBe(true);
});
