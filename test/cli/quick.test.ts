/** The short way to `gateway run` understands words as commander does, and leaves to it what it does not understand. */
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { Options } from "../../kernel/cli/cli.ts";
import { commands } from "../../kernel/cli/commands.ts";
import type { Io } from "../../kernel/cli/io.ts";
import { flagsOf } from "../../kernel/cli/open.ts";
import { createProgram } from "../../kernel/cli/program.ts";
import { parseExact, quickRun } from "../../kernel/cli/quick.ts";
import { globalOptions } from "../../kernel/cli/table/global.ts";

const own = commands.find(({ name }) => name === "gateway run")?.options ?? [];
const specs = [...own, ...globalOptions];

function testIo(said: string[] = []): Io {
  const sink = { write: (text: string) => void said.push(text) };
  return {
    stdin: Readable.from([]),
    stdout: sink,
    stderr: sink,
    env: { HOME: "/nonexistent" },
    cwd: "/",
    onSignal: () => () => undefined,
  };
}

async function byCommander(words: readonly string[]): Promise<Options> {
  const program = createProgram({ io: testIo(), version: "1.0.0", done: () => undefined });
  const group = program.commands.find((command) => command.name() === "gateway");
  const run = group?.commands.find((command) => command.name() === "run");
  let seen: Options = {};
  run?.action(() => {
    seen = run.optsWithGlobals();
  });
  await program.parseAsync(["gateway", "run", ...words], { from: "user" });
  return seen;
}

test.each([
  [[]],
  [["--port", "0"]],
  [["--port", "1", "--port", "2", "--bind", "lan", "--force", "--dev"]],
  [["--allow-unconfigured", "--safe-mode", "--verbose", "--json", "--no-color"]],
  [["--state-dir", "/a b", "--config", "", "--url", "http://x", "--token", "t=1"]],
])("%j", async (words) => {
  const quick = parseExact(words, specs);
  const { color, ...theirs } = await byCommander(words);
  expect(flagsOf(quick as Options)).toEqual(flagsOf({ ...theirs, color }));
  expect({ ...quick, color }).toEqual({ ...theirs, color });
});

test("every option of the command is one that it understands", () => {
  for (const { flags, choices } of specs) {
    const [flag = "", value] = flags.split(" ");
    expect(parseExact(value ? [flag, choices?.[0] ?? "1"] : [flag], specs), flags).toBeDefined();
  }
});

test.each([
  ["gateway"],
  ["status"],
  ["--json", "gateway", "run"],
  ["gateway", "run", "more"],
  ["gateway", "run", "--help"],
  ["gateway", "run", "--prot", "1"],
  ["gateway", "run", "--port=1"],
  ["gateway", "run", "--port"],
  ["gateway", "run", "--port", "--json"],
  ["gateway", "run", "--bind", "everywhere"],
  ["gateway", "run", "--"],
])("%s %s %s %s is commander's", async (...argv) => {
  expect(await quickRun(argv, testIo())).toBeUndefined();
});

test("what is wrong with a value is one line and exit 1, as everywhere", async () => {
  const said: string[] = [];
  expect(await quickRun(["gateway", "run", "--port", "x"], testIo(said))).toBe(1);
  expect(said.join("")).toBe('--port must be a whole number from 0 to 65535, not "x".\n');
});
