import { execFile } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { openCatalog } from "../../kernel/plugins/catalog.ts";
import { installPlugin } from "../../kernel/plugins/install.ts";
import { scaffoldPlugin } from "../../kernel/plugins/scaffold.ts";
import { distFile } from "../kit/binary.ts";
import { tempDir } from "../kit/temp.ts";

const run = promisify(execFile);
const sdkDir = () => dirname(distFile("sdk/index.js"));
const bare = () => ({ PATH: process.env.PATH, HOME: tempDir("home"), TMPDIR: tempDir("tmp") });

describe("a new plugin", () => {
  it.each([
    ["weather", "weather"],
    ["@me/my-plugin", "my-plugin"],
  ])("%s passes its own test offline, at once", { timeout: 60_000 }, async (name, id) => {
    const dir = join(tempDir("new"), "plugin");
    const made = await scaffoldPlugin(name, { dir, sdkDir: sdkDir() });
    expect(made).toEqual({
      id,
      dir,
      files: [
        ".gitignore",
        "README.md",
        "index.ts",
        "package.json",
        "panel/panel.js",
        `test/${id}.test.js`,
        "tsconfig.json",
      ],
    });
    const { stdout } = await run(process.execPath, ["--test", "--test-reporter=tap"], { cwd: dir, env: bare() });
    expect(stdout).toMatch(/# pass 5\n# fail 0/);
    expect(readdirSync(dir).sort()).toEqual([
      ".gitignore",
      "README.md",
      "index.ts",
      "node_modules",
      "package.json",
      "panel",
      "test",
      "tsconfig.json",
    ]);
  });

  it("type-checks against the SDK's declarations", { timeout: 60_000 }, async () => {
    const dir = join(tempDir("new"), "plugin");
    await scaffoldPlugin("weather", { dir, sdkDir: sdkDir() });
    const compiler = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
    await run(process.execPath, [compiler, "-p", dir], { env: bare() });
    const spoil = (file: string, from: string, to: string) =>
      writeFileSync(join(dir, file), readFileSync(join(dir, file), "utf8").replace(from, to));
    spoil("index.ts", "ctx.config.greeting", "ctx.config.greetings");
    spoil("panel/panel.js", "chela.text(words.hello)", "chela.test(words.hello)");
    const said = await run(process.execPath, [compiler, "-p", dir], { env: bare() }).catch((error) => error.stdout);
    expect(said).toContain("greetings");
    expect(said).toContain("Property 'test' does not exist on type 'PanelClient'");
  });

  it("installs as it is, and its manifest is what its source says", async () => {
    const dir = join(tempDir("new"), "plugin");
    await scaffoldPlugin("@me/my-plugin", { dir, sdkDir: sdkDir() });
    const stateDir = tempDir("state");
    const host = { stateDir, hostVersion: "1.0.0", builtins: [], sdkDir: sdkDir() };
    expect(await installPlugin(dir, host)).toMatchObject({ id: "my-plugin", version: "0.1.0", changed: true });
    const [entry] = (await openCatalog(host)).entries();
    expect(entry).toMatchObject({ id: "my-plugin", hot: ["greeting"], problem: "", origin: "installed" });
    expect(existsSync(join(entry!.root, "index.chela.mjs"))).toBe(true);
  });

  it("links the SDK of this host", async () => {
    const dir = join(tempDir("new"), "plugin");
    await scaffoldPlugin("weather", { dir, sdkDir: sdkDir() });
    expect(lstatSync(join(dir, "node_modules/@chela/sdk")).isSymbolicLink()).toBe(true);
    expect(readlinkSync(join(dir, "node_modules/@chela/sdk"))).toBe(sdkDir());
  });

  it("goes into an empty folder, and into no other", async () => {
    const dir = tempDir("new");
    mkdirSync(join(dir, "empty"));
    await scaffoldPlugin("weather", { dir: join(dir, "empty"), sdkDir: sdkDir() });
    const before = readFileSync(join(dir, "empty/index.ts"), "utf8");
    await expect(scaffoldPlugin("other", { dir: join(dir, "empty"), sdkDir: sdkDir() })).rejects.toMatchObject({
      code: "FOLDER_NOT_EMPTY",
      status: 409,
    });
    await expect(scaffoldPlugin("other", { dir: join(dir, "empty/index.ts"), sdkDir: sdkDir() })).rejects.toMatchObject(
      { code: "FOLDER_NOT_EMPTY" },
    );
    expect(readFileSync(join(dir, "empty/index.ts"), "utf8")).toBe(before);
    expect(readdirSync(dir)).toEqual(["empty"]);
  });

  it.each([
    "",
    "My Plugin",
    "../evil",
    "@x/..",
    "-x",
    "a/b",
    "9lives",
    "under_score",
    "chat",
    "kernel",
    "x".repeat(300),
  ])("is not called %j", async (name) => {
    const dir = join(tempDir("new"), "plugin");
    await expect(scaffoldPlugin(name, { dir, sdkDir: sdkDir(), builtins: [{ id: "chat" }] })).rejects.toMatchObject({
      code: "PLUGIN_NAME",
      status: 400,
    });
    expect(existsSync(dir)).toBe(false);
  });
});
