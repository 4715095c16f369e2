/**
 * The command line: arguments in, exit code out. Imports commander and picocolors only, so that help is quick; each
 * command is imported when it runs. Whatever goes wrong becomes one line and an exit code here, and only here.
 */
import { CommanderError } from "commander";
import colors from "picocolors";
import { hostVersion } from "../version.ts";
import type { Cli, Flags } from "./cli.ts";
import { commands, groups } from "./commands.ts";
import { type Printer, report } from "./failure.ts";
import type { Io } from "./io.ts";
import { createOutput } from "./output.ts";
import { createProgram, flagsOf } from "./program.ts";

export async function main(argv: readonly string[], io: Io): Promise<number> {
  let exit = 0;
  const output = (flags: Flags) => createOutput(io, { ...flags, createColors: colors.createColors });
  const start = async (flags: Flags): Promise<Cli> => {
    const { resolvePlaces } = await import("./places.ts");
    return { io, out: output(flags), flags, places: resolvePlaces(flags, io) };
  };
  const program = createProgram({ io, version: hostVersion, start, done: (code) => (exit = code) });
  try {
    const { operands, unknown } = program.parseOptions([...argv]);
    const [name, ...rest] = operands;
    if (name !== undefined && name !== "help" && !isKnown(name)) {
      const { foreign } = await import("./foreign.ts");
      return await foreign(await start(flagsOf(program.opts())), name, [...rest, ...unknown]);
    }
    await program.parseAsync([...argv], { from: "user" });
    return exit;
  } catch (error) {
    const flags = { ...flagsOf(program.opts()), json: argv.includes("--json") };
    return finish(error, { io, json: flags.json, verbose: flags.verbose, print: output(flags).error });
  }
}

function isKnown(name: string): boolean {
  return name in groups || commands.some((spec) => spec.name === name);
}

/** Help and version end as errors in commander; the rest is a failure. */
function finish(error: unknown, printer: Printer): number {
  if (!(error instanceof CommanderError)) return report(error, printer);
  if (error.message.startsWith("(") || error.exitCode === 0) return error.exitCode;
  return report({ code: "USAGE", message: usage(error.message) }, printer);
}

/** `error: unknown option '--jsn'\n(Did you mean --json?)` as one sentence. */
function usage(message: string): string {
  const [first = "", hint = ""] = message.replace(/^error: /, "").split("\n");
  const sentence = first.charAt(0).toUpperCase() + first.slice(1).replace(/\.$/, "");
  return `${sentence}. ${hint.replace(/^\(|\)$/g, "") || "See chela --help."}`;
}
