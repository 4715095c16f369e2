/** Completion: the answers, and the scripts in real shells, where what was typed must never run. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runMain } from "../kit/cli.ts";
import { tempDir } from "../kit/temp.ts";

async function words(...typed: string[]): Promise<string[]> {
  const env = { CHELA_STATE_DIR: tempDir() };
  const { code, stdout, stderr } = await runMain(["complete", "--", ...typed], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("\t")[0] ?? "");
}

test("names of commands and groups", async () => {
  expect(await words("")).toEqual(expect.arrayContaining(["gateway", "config", "plugins", "status", "chat", "call"]));
  expect(await words("")).not.toContain("complete");
  expect(await words("co")).toEqual(["config", "completion"]);
  expect(await words("config", "ro")).toEqual(["rollback"]);
  expect(await words("--json", "gateway", "")).toEqual(["run"]);
  expect(await words("nonsense", "")).toEqual([]);
});

test("options, their values, and what they leave to the shell", async () => {
  expect(await words("logs", "--l")).toEqual(["--level", "--limit"]);
  expect(await words("status", "--js")).toEqual(["--json"]);
  expect(await words("logs", "--level", "")).toEqual(["debug", "info", "warn", "error"]);
  expect(await words("gateway", "run", "--bind", "l")).toEqual(["loopback", "lan"]);
  expect(await words("--config", "")).toEqual([":"]);
  expect(await words("--config", "x.json", "sta")).toEqual(["status"]);
  expect(await words("chat", "-m", "")).toEqual([]);
  expect(await words("chat", "-m", "hello", "--se")).toEqual(["--session"]);
  expect(await words("completion", "")).toEqual(["bash", "zsh", "fish"]);
  expect(await words("plugins", "install", "")).toEqual([":"]);
  expect(await words("version", "extra", "")).toEqual([]);
});

test("providers and MCP servers by the names they have in the config", async () => {
  const env = { CHELA_STATE_DIR: tempDir() };
  const config = {
    models: { providers: { openai: {}, "$(touch x)": {} } },
    tools: { mcp: { servers: { files: {} } } },
  };
  writeFileSync(join(env.CHELA_STATE_DIR, "config.json"), JSON.stringify(config));
  const offered = async (...typed: string[]) => (await runMain(["complete", "--", ...typed], { env })).stdout;
  expect(await offered("provider", "login", "")).toBe("openai\n");
  expect(await offered("mcp", "restart", "f")).toBe("files\n");
  expect(await offered("provider", "configure", "--auth", "b")).toBe("bearer\n");
});

test("a config key that a shell would read as more than a word is not offered", async () => {
  const stateDir = tempDir();
  const config = { safe_key: { a: 1 }, "$(touch x)": 1, "`id`": 1, "a b": 1, "x;y": 1, "-rf": 1, "\u001b[2J": 1 };
  writeFileSync(join(stateDir, "config.json"), JSON.stringify(config));
  const { stdout } = await runMain(["complete", "--", "config", "get", ""], { env: { CHELA_STATE_DIR: stateDir } });
  const offered = stdout.split("\n").map((line) => line.split("\t")[0]);
  expect(offered).toEqual(expect.arrayContaining(["safe_key.a", "gateway.port", "plugins.entries.chat.enabled"]));
  expect(offered.join("\n")).not.toMatch(/[$`;[]|-rf|a b/);
});

test("never fails, whatever the state dir holds", async () => {
  const stateDir = tempDir();
  writeFileSync(join(stateDir, "config.json"), "{ broken");
  writeFileSync(join(stateDir, "plugins"), "not a folder");
  for (const typed of [
    ["config", "get", ""],
    ["plugins", "info", ""],
    ["config", "rollback", ""],
    ["\u0000", "$(id)"],
    [],
  ]) {
    const { code, stderr } = await runMain(["complete", "--", ...typed], { env: { CHELA_STATE_DIR: stateDir } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  }
});

/** A `chela` that writes down its arguments and answers with two words and a request for files. */
async function fakeShell(shell: string): Promise<{ dir: string; script: string; asked: () => string[] }> {
  const dir = tempDir();
  const { stdout } = await runMain(["completion", shell]);
  writeFileSync(join(dir, "script"), stdout);
  writeFileSync(
    join(dir, "chela"),
    `#!/bin/sh\nprintf '%s\\n' "$@" >"${dir}/asked"\nprintf 'alpha\\tfirst one\\nbeta\\n'\n`,
  );
  chmodSync(join(dir, "chela"), 0o755);
  return {
    dir,
    script: join(dir, "script"),
    asked: () => readFileSync(join(dir, "asked"), "utf8").split("\n").slice(0, -1),
  };
}

function has(shell: string): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0;
}

function run(shell: string, args: string[], dir: string): { stdout: string; stderr: string } {
  const env = { PATH: `${dir}:${process.env.PATH}`, HOME: dir, TERM: "dumb" };
  return spawnSync(shell, args, { env, cwd: dir, encoding: "utf8" });
}

const evil = ["$(touch pwned)", "`touch pwned`", '"$(touch pwned)', "a;touch pwned"];

test.runIf(has("bash"))("bash: without bash-completion, sourced twice, and nothing typed is run", async () => {
  const { dir, script, asked } = await fakeShell("bash");
  const typed = ["chela", "plugins", ...evil].map((word) => `'${word}'`).join(" ");
  const code = `source ${script}; source ${script}; COMP_WORDS=(${typed}); COMP_CWORD=${evil.length + 1}; __chela_complete; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = run("bash", ["--norc", "--noprofile", "-c", code], dir);
  expect({ stdout, stderr }).toEqual({ stdout: "alpha\nbeta\n", stderr: "" });
  expect(asked()).toEqual(["complete", "--", "plugins", ...evil]);
  expect(existsSync(join(dir, "pwned"))).toBe(false);
});

test.runIf(has("zsh"))("zsh: parses, registers, and hands over what was typed as it is", async () => {
  const { dir, script, asked } = await fakeShell("zsh");
  const typed = ["chela", "plugins", ...evil].map((word) => `'${word}'`).join(" ");
  const code = `compdef() { print -r -- "compdef $*" }; source ${script}; compadd() { print -rl -- "\${(@)names}" "\${(@)shown}" }; words=(${typed}); CURRENT=${evil.length + 2}; _chela`;
  const { stdout, stderr } = run("zsh", ["-f", "-c", code], dir);
  expect({ stdout, stderr }).toEqual({
    stdout: "compdef _chela chela\nalpha\nbeta\nalpha  -- first one\nbeta\n",
    stderr: "",
  });
  expect(asked()).toEqual(["complete", "--", "plugins", ...evil]);
  expect(existsSync(join(dir, "pwned"))).toBe(false);
});

test.runIf(has("fish"))("fish: offers the words, and runs nothing that was typed", async () => {
  const { dir, script } = await fakeShell("fish");
  const line = "chela plugins '$(touch pwned)' '(touch pwned)' ";
  const code = `source ${script}; source ${script}; complete -C ${JSON.stringify(line).replaceAll("$", "\\$")}`;
  const { stdout } = run("fish", ["--no-config", "-c", code], dir);
  expect(stdout).toBe("alpha\tfirst one\nbeta\n");
  expect(existsSync(join(dir, "pwned"))).toBe(false);
});
