/**
 * `chela NAME …` for a name that is not built in: a command of a plugin, run in the gateway. Words become arguments by
 * its schema: `--key value`, `key=value`, one JSON object, or plain words in the order of the schema's keys.
 */
import { GatewayError } from "@chela/sdk";
import { didYouMean } from "../nearest.ts";
import type { Cli } from "./cli.ts";
import { findGateway, type Gateway } from "./client.ts";
import { commands, groups } from "./commands.ts";
import { failureOf } from "./failure.ts";
import { printValue } from "./print-value.ts";
import { configValue } from "./values.ts";

interface CommandRow {
  readonly name: string;
  readonly about: string;
  readonly args: {
    readonly properties?: Readonly<Record<string, Schema>>;
    readonly required?: readonly string[];
  } | null;
}

interface Schema {
  readonly type?: unknown;
  readonly description?: unknown;
}

export async function foreign(cli: Cli, name: string, words: readonly string[]): Promise<number> {
  const gateway = await findGateway(cli);
  const { rows, trouble } = gateway ? await commandRows(gateway) : { rows: [], trouble: "" };
  const row = rows.find((candidate) => candidate.name === name);
  if (!gateway || !row) throw unknownCommand(name, rows, trouble);
  if (words.includes("--help") || words.includes("-h")) {
    describe(cli, row);
    return 0;
  }
  const args = argumentsFrom(row, words);
  const result = await gateway.call("commands.run", { name, args }, { timeoutMs: 600_000 });
  await cli.out.show(result ?? { ok: true }, () => printValue(cli.out, result));
  return 0;
}

async function commandRows(gateway: Gateway): Promise<{ rows: readonly CommandRow[]; trouble: string }> {
  try {
    const rows = await gateway.call("commands.list", undefined, { timeoutMs: 5000 });
    return { rows: Array.isArray(rows) ? (rows as CommandRow[]) : [], trouble: "" };
  } catch (error) {
    return { rows: [], trouble: ` The running gateway could not be asked for more: ${failureOf(error).message}` };
  }
}

function unknownCommand(name: string, rows: readonly CommandRow[], trouble: string): GatewayError {
  const own = commands.filter((spec) => !spec.hidden).map((spec) => spec.name.split(" ")[0] ?? "");
  const names = [...Object.keys(groups), ...own, ...rows.map((row) => row.name)];
  const hint = didYouMean(name, new Set(names)) || " See chela --help.";
  return new GatewayError("COMMAND_UNKNOWN", 404, `Unknown command: ${name}.${hint}${trouble}`);
}

function describe(cli: Cli, row: CommandRow): void {
  cli.out.line(`Usage: chela ${row.name} [--key value ...]`);
  cli.out.line("");
  cli.out.line(row.about);
  for (const [key, schema] of Object.entries(row.args?.properties ?? {})) {
    const needed = row.args?.required?.includes(key) ? "required" : "optional";
    const about = typeof schema.description === "string" ? `  ${schema.description}` : "";
    cli.out.line(`  --${key} <${typeof schema.type === "string" ? schema.type : "value"}>  ${needed}${about}`);
  }
}

function argumentsFrom(row: CommandRow, words: readonly string[]): unknown {
  const only = words.length === 1 ? words[0] : undefined;
  if (only?.startsWith("{")) return configValue([only]);
  const args: Record<string, unknown> = Object.create(null);
  const free = Object.keys(row.args?.properties ?? {});
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const { key, text } = pair(row, word, rest) ?? { key: free.find((name) => !(name in args)), text: word };
    if (key === undefined)
      throw new GatewayError(
        "USAGE",
        400,
        `${JSON.stringify(word)} is one word too many for chela ${row.name}. See chela ${row.name} --help.`,
      );
    args[key] = typed(row.args?.properties?.[key], text);
  }
  return words.length === 0 && !row.args ? undefined : { ...args };
}

/** `--key=value`, `--key value`, `--flag`, `key=value` of a key that the schema knows. */
function pair(row: CommandRow, word: string, rest: string[]): { key: string; text: string } | null {
  const match = /^(?:--)?([A-Za-z_][\w-]*)=(.*)$/s.exec(word);
  const known = (key: string) => Object.hasOwn(row.args?.properties ?? {}, key);
  if (match?.[1] && (word.startsWith("--") || known(match[1]))) return { key: match[1], text: match[2] ?? "" };
  if (!/^--[A-Za-z_]/.test(word)) return null;
  const key = word.slice(2);
  const takesNone = row.args?.properties?.[key]?.type === "boolean" || rest.length === 0 || rest[0]?.startsWith("--");
  return { key, text: takesNone ? "true" : (rest.shift() ?? "") };
}

function typed(schema: Schema | undefined, text: string): unknown {
  return schema?.type === "string" ? text : configValue([text]);
}
