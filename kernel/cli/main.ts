/**
 * The command line: arguments in, exit code out. Imports commander and picocolors only, so that help is quick; each
 * command is imported when it runs. Whatever goes wrong becomes one line and an exit code here, and only here.
 */
import { type Command, CommanderError } from "commander";
import { hostVersion } from "../version.ts";
import { commands, groups } from "./commands.ts";
import { type Printer, report } from "./failure.ts";
import type { Io } from "./io.ts";
import { flagsOf, openCli, outputFor } from "./open.ts";
import { createProgram } from "./program.ts";

export async function main(argv: readonly string[], io: Io): Promise<number> {
  let exit = 0;
  const program = createProgram({ io, version: hostVersion, done: (code) => (exit = code) });
  try {
    const { operands, unknown } = program.parseOptions([...argv]);
    const [first, ...rest] = operands;
    // `help` of a name that is none would show everything and say nothing.
    const name = first === "help" ? (rest[0] ?? first) : first;
    if (name !== undefined && name !== "help" && !isKnown(name)) {
      if (first === "help") rest.splice(0, 1, "--help");
      const { foreign } = await import("./foreign.ts");
      return await foreign(await openCli(flagsOf(program.opts()), io), name, [...rest, ...unknown]);
    }
    await program.parseAsync([...argv], { from: "user" });
    return exit;
  } catch (error) {
    const flags = { ...flagsOf(program.opts()), json: argv.includes("--json") };
    const where = () => commandOf(program, argv);
    return finish(error, { io, json: flags.json, verbose: flags.verbose, print: outputFor(flags, io).error }, where);
  }
}

function isKnown(name: string): boolean {
  return name in groups || commands.some((spec) => spec.name === name);
}

/** Help and version end as errors in commander; the rest is a failure. */
function finish(error: unknown, printer: Printer, where: () => string): number {
  if (!(error instanceof CommanderError)) return report(error, printer);
  if (error.exitCode === 0) return 0;
  if (!error.message.startsWith("(")) return report({ code: "USAGE", message: usage(error.message, where()) }, printer);
  if (printer.json) report({ code: "USAGE", message: `Give a command. See ${where()} --help.` }, printer);
  return error.exitCode;
}

/** `error: unknown option '--jsn'\n(Did you mean --json?)` as one sentence. */
function usage(message: string, where: string): string {
  const [first = "", hint = ""] = message.replace(/^error: /, "").split("\n");
  const sentence = first.charAt(0).toUpperCase() + first.slice(1).replace(/\.$/, "");
  return `${sentence}. ${hint.replace(/^\(|\)$/g, "") || `See ${where} --help.`}`;
}

/** The command that the words lead to, as a person would type it: where the help is that fits. */
function commandOf(program: Command, argv: readonly string[]): string {
  const names: string[] = [];
  let at: Command | undefined = program;
  for (const word of program.parseOptions([...argv]).operands) {
    at = at?.commands.find((command) => command.name() === word);
    if (!at) break;
    names.push(word);
  }
  return ["chela", ...names].join(" ");
}
