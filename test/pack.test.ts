/** What a user gets from the registry: the packed tarball, with nothing but its declared dependencies, starts and chats. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { extract } from "tar";
import { expect, it } from "vitest";
import { distFile } from "./kit/binary.ts";
import { root } from "./kit/sources.ts";
import { tempDir } from "./kit/temp.ts";

const run = promisify(execFile);

interface PackageJson {
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/** Links a declared dependency, and what that one declares, from the project's own node_modules. */
function link(name: string, modules: string): void {
  const target = join(modules, name);
  const source = join(root, "node_modules", name);
  if (existsSync(target) || !existsSync(source)) return;
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(source, target, "junction");
}

it("installs from a tarball and runs with its declared dependencies alone", async () => {
  distFile("chela.js");
  const home = tempDir("pack");
  const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", home], {
    cwd: root,
  });
  const [{ filename, size }] = JSON.parse(stdout) as [{ filename: string; size: number }];
  expect(size).toBeLessThan(3_000_000);
  const modules = join(home, "node_modules");
  const installed = join(modules, "chela");
  mkdirSync(installed, { recursive: true });
  await extract({ file: join(home, filename), cwd: installed, strip: 1 });
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as PackageJson;
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) link(name, modules);
  expect(readdirSync(installed).sort()).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "README.zh-CN.md",
    "dist",
    "package.json",
  ]);
  const chela = join(installed, manifest.bin.chela ?? "");
  const env = { PATH: process.env.PATH, HOME: home, CHELA_STATE_DIR: join(home, "state"), CHELA_DISCOVERY: "off" };
  const version = await run(process.execPath, [chela, "version", "--json"], { env });
  expect(JSON.parse(version.stdout)).toMatchObject({ version: "1.0.0" });
  const { spawn } = await import("node:child_process");
  const gateway = spawn(process.execPath, [chela, "gateway", "run", "--port", "0"], { env, stdio: "ignore" });
  try {
    const { until } = await import("./kit/until.ts");
    const answer = await until(
      async () => (await run(process.execPath, [chela, "chat", "-m", "/echo from a tarball"], { env })).stdout,
      20_000,
      "the gateway to chat",
    );
    expect(answer).toContain("from a tarball");
  } finally {
    const ended = new Promise((resolve) => gateway.once("exit", resolve));
    gateway.kill("SIGTERM");
    await ended;
  }
}, 60_000);
