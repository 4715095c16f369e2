/** `chela open`: the address that signs in, and how it gets into a browser without being seen by others. */
import { chmodSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runMain } from "../kit/cli.ts";
import { tempDir, writeTree } from "../kit/temp.ts";

const token = 'chela_a&b"c-0123456789';

/** A state dir with a gateway that runs, and a folder of programs with `xdg-open` in it. */
function machine(opener: string): { env: Record<string, string>; stateDir: string; told: string } {
  const stateDir = tempDir("open");
  const facts = { pid: process.pid, host: "127.0.0.1", port: 18790, url: "http://127.0.0.1:18790", startedAt: 1 };
  const told = join(stateDir, "told");
  writeTree(stateDir, { token, "gateway.json": JSON.stringify(facts), "bin/xdg-open": `#!/bin/sh\n${opener}\n` });
  chmodSync(join(stateDir, "bin/xdg-open"), 0o755);
  return {
    env: { CHELA_STATE_DIR: stateDir, PATH: `${stateDir}/bin:${process.env.PATH}`, TOLD: told },
    stateDir,
    told,
  };
}

const address = `http://127.0.0.1:18790/#token=${encodeURIComponent(token)}`;

test("prints the address where no browser is wanted, or none can be started", async () => {
  const { env, told } = machine("exit 3");
  expect(await runMain(["open", "--no-browser"], { env })).toMatchObject({ code: 0, stdout: `${address}\n` });
  expect(await runMain(["open"], { env })).toMatchObject({ code: 0, stdout: `${address}\n` });
  const asJson = await runMain(["open", "--json"], { env });
  expect(asJson.json()).toEqual({ url: address, opened: false });
  expect(existsSync(told)).toBe(false);
});

test.runIf(process.platform === "linux")("hands the browser a file that only its user can read", async () => {
  const { env, told } = machine('printf %s "$*" > "$TOLD"');
  const { code, stdout } = await runMain(["open"], { env });
  expect({ code, stdout }).toEqual({ code: 0, stdout: "Opened http://127.0.0.1:18790/ in the browser.\n" });
  const given = readFileSync(told, "utf8");
  expect(given).not.toContain("token=");
  const file = fileURLToPath(given);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8")).toContain(`url=${address}"`);
});

test("says how to start a gateway when none runs", async () => {
  const { code, stderr } = await runMain(["open"], { env: { CHELA_STATE_DIR: tempDir("open-none") } });
  expect(code).toBe(69);
  expect(stderr).toContain("chela gateway run");
});
