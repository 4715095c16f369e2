/**
 * The short way to `gateway run`, the one command whose start people wait for: where every word is an option of the
 * command table, spelled out, commander would add nothing but the time to load it. All else is left to commander.
 */
import type { Options } from "./cli.ts";
import { report } from "./failure.ts";
import type { Io } from "./io.ts";
import { flagsOf, openCli, outputFor } from "./open.ts";
import { gatewayCommands } from "./table/gateway.ts";
import { globalOptions } from "./table/global.ts";
import type { OptionSpec } from "./table/spec.ts";

/** The exit code, or undefined when commander has to look at it. */
export async function quickRun(argv: readonly string[], io: Io): Promise<number | undefined> {
  const [group, name, ...words] = argv;
  const spec = gatewayCommands.find((candidate) => candidate.name === "gateway run");
  if (!spec || `${group} ${name}` !== spec.name) return undefined;
  const values = parseExact(words, [...(spec.options ?? []), ...globalOptions]);
  if (!values) return undefined;
  const flags = flagsOf(values);
  try {
    const [handler, cli] = await Promise.all([spec.load(), openCli(flags, io)]);
    return (await handler(cli, [], values)) ?? 0;
  } catch (error) {
    return report(error, { io, json: flags.json, verbose: flags.verbose, print: outputFor(flags, io).error });
  }
}

/** `--flag` and `--flag value` of `specs`, keyed as commander keys them; undefined at the first word that is neither. */
export function parseExact(words: readonly string[], specs: readonly OptionSpec[]): Options | undefined {
  const values: Record<string, string | boolean> = {};
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const spec = specs.find(({ flags }) => flags.split(" ")[0] === word);
    if (!spec) return undefined;
    const key = word.replace(/^--(?:no-)?/, "").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    if (!spec.flags.includes(" ")) {
      values[key] = !word.startsWith("--no-");
      continue;
    }
    const value = rest.shift();
    if (value === undefined || value.startsWith("-") || (spec.choices && !spec.choices.includes(value)))
      return undefined;
    values[key] = value;
  }
  return values;
}
