/** The lock of a state dir: one holder, named to the second, taken over only when its process is gone. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { acquireGatewayFile, readGatewayFile } from "../../kernel/process/gateway-file.ts";
import { isAlive, processStartOf } from "../../kernel/process/processes.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";

const facts = { pid: process.pid, host: "127.0.0.1", port: 0, url: "", startedAt: 1 };

test("holds the state dir, says where it serves, and lets go", async () => {
  const stateDir = join(tempDir(), "deep/state");
  const file = await acquireGatewayFile(stateDir, facts);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
  expect(statSync(stateDir).mode & 0o777).toBe(0o700);
  await file.update({ port: 4711, url: "http://127.0.0.1:4711" });
  expect(await readGatewayFile(stateDir)).toMatchObject({ pid: process.pid, port: 4711, url: "http://127.0.0.1:4711" });
  expect(readdirSync(stateDir)).toEqual(["gateway.json"]);
  await file.release();
  await file.release();
  expect(await readGatewayFile(stateDir)).toBeNull();
  expect(readdirSync(stateDir)).toEqual([]);
});

test("a second gateway is refused with the first's pid and port", async () => {
  const stateDir = tempDir();
  const first = await acquireGatewayFile(stateDir, facts);
  await first.update({ port: 4711 });
  const refusal = acquireGatewayFile(stateDir, { ...facts, port: 9 });
  await expect(refusal).rejects.toMatchObject({ code: "STATE_LOCKED", details: { pid: process.pid, port: 4711 } });
  await expect(refusal).rejects.toThrow(`pid ${process.pid}, port 4711`);
  await first.release();
  await (await acquireGatewayFile(stateDir, facts)).release();
});

test("of many starters at once, over a dead holder's file, exactly one wins", async () => {
  const stateDir = tempDir();
  const dead = spawnSync(process.execPath, ["-e", "0"]).pid;
  writeFileSync(join(stateDir, "gateway.json"), JSON.stringify({ ...facts, pid: dead }));
  const tries = await Promise.allSettled(Array.from({ length: 12 }, () => acquireGatewayFile(stateDir, facts)));
  const winners = tries.filter((result) => result.status === "fulfilled");
  expect(winners).toHaveLength(1);
  await winners[0]?.value.update({ port: 1 });
  expect(await readGatewayFile(stateDir)).toMatchObject({ port: 1 });
});

test.runIf(process.platform === "linux")("a reused pid does not pass for the gateway, nor does a zombie", async () => {
  const stateDir = tempDir();
  writeFileSync(join(stateDir, "gateway.json"), JSON.stringify({ ...facts, processStart: "boot:1" }));
  expect(await readGatewayFile(stateDir)).toBeNull();
  const ours = await processStartOf(process.pid);
  writeFileSync(join(stateDir, "gateway.json"), JSON.stringify({ ...facts, processStart: ours }));
  expect(await readGatewayFile(stateDir)).toMatchObject({ pid: process.pid });

  const shell = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void shell.kill());
  const [line] = (await once(shell.stdout, "data")) as [Buffer];
  await until(async () => !(await isAlive({ pid: Number(String(line)) })), 5000, "the zombie to count as gone");
});

test.each(["", "{", "null", '{"pid":"12"}', '{"pid":-1}', '{"pid":1.5}'])(
  "a file that names no process (%j) is taken over",
  async (text) => {
    const stateDir = tempDir();
    writeFileSync(join(stateDir, "gateway.json"), text);
    expect(await readGatewayFile(stateDir)).toBeNull();
    const file = await acquireGatewayFile(stateDir, facts);
    expect(JSON.parse(readFileSync(file.path, "utf8"))).toMatchObject({ pid: process.pid });
  },
);

test("who lost the file notices at the next update, and its release leaves the new holder's file", async () => {
  const stateDir = tempDir();
  const first = await acquireGatewayFile(stateDir, facts);
  writeFileSync(first.path, "");
  const second = await acquireGatewayFile(stateDir, facts);
  await expect(first.update({ port: 1 })).rejects.toMatchObject({ code: "STATE_LOCKED" });
  await first.release();
  expect(await readGatewayFile(stateDir)).not.toBeNull();
  await second.release();
});

test("an unusable state dir is named with what to do", async () => {
  const folder = tempDir();
  writeFileSync(join(folder, "file"), "");
  await expect(acquireGatewayFile(join(folder, "file"), facts)).rejects.toMatchObject({
    code: "STATE_DIR",
    message: expect.stringMatching(/file cannot be written .* choose another/),
  });
});

test("a link in its place is replaced, not followed", async () => {
  const stateDir = tempDir();
  const target = join(tempDir(), "victim");
  writeFileSync(target, "precious");
  symlinkSync(target, join(stateDir, "gateway.json"));
  await acquireGatewayFile(stateDir, facts);
  expect(readFileSync(target, "utf8")).toBe("precious");
});
