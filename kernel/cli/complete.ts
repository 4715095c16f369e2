/**
 * The hidden `complete`: answers a completion script with one `word<TAB>about` per line; a lone `:` asks the shell for
 * file names. Works without a gateway, never fails, and offers nothing that a shell could read as more than a word.
 */
import type { Cli, Handler } from "./cli.ts";
import { commands, groups } from "./commands.ts";
import { globalOptions } from "./table/global.ts";
import { shells } from "./table/others.ts";
import type { Answers, CommandSpec, OptionSpec } from "./table/spec.ts";
import { plainLine } from "./text.ts";

export interface Candidate {
  readonly word: string;
  readonly about: string;
}

const files: Candidate = { word: ":", about: "" };

const safeWord = /^[A-Za-z0-9@][\w.@/+-]*$/;
const safeFlag = /^--?[a-z][a-z-]*$/;

export const complete: Handler = async (cli, words) => {
  const candidates = await answer(cli, words).catch(() => []);
  const safe = words.at(-1)?.startsWith("-") ? safeFlag : safeWord;
  for (const { word, about } of candidates) {
    if (word !== files.word && !safe.test(word)) continue;
    cli.io.stdout.write(about ? `${word}\t${plainLine(about)}\n` : `${word}\n`);
  }
};

/** `words` are those after `chela`; the last is the one being typed. */
export async function answer(cli: Cli, words: readonly string[]): Promise<readonly Candidate[]> {
  const current = words.at(-1) ?? "";
  const { operands, awaiting } = walk(words.slice(0, -1));
  const all = awaiting
    ? valuesOf(awaiting)
    : current.startsWith("-")
      ? flags(operands)
      : await following(cli, operands);
  return all.filter((candidate) => candidate === files || candidate.word.startsWith(current));
}

/** Splits what stands before the cursor into operands and an option that still wants its value. */
function walk(before: readonly string[]): { operands: string[]; awaiting: OptionSpec | null } {
  const operands: string[] = [];
  let awaiting: OptionSpec | null = null;
  for (const word of before) {
    if (awaiting) awaiting = null;
    else if (!word.startsWith("-")) operands.push(word);
    else if (!word.includes("=")) awaiting = takesValue(word, operands);
  }
  return { operands, awaiting };
}

function takesValue(word: string, operands: readonly string[]): OptionSpec | null {
  const specs = [...(commandOf(operands)?.options ?? []), ...globalOptions];
  return specs.find((spec) => spec.flags.includes("<") && names(spec).includes(word)) ?? null;
}

function names(spec: OptionSpec): string[] {
  return spec.flags.replace(/ <.*$/, "").split(", ");
}

function valuesOf(option: OptionSpec): Candidate[] {
  if (option.choices) return option.choices.map((word) => ({ word, about: "" }));
  return /<(file|folder)>/.test(option.flags) ? [files] : [];
}

function flags(operands: readonly string[]): Candidate[] {
  const specs = [...(commandOf(operands)?.options ?? []), ...globalOptions, { flags: "--help", about: "show help" }];
  return specs.map((spec) => ({ word: names(spec).at(-1) ?? "", about: spec.about }));
}

async function following(cli: Cli, operands: readonly string[]): Promise<readonly Candidate[]> {
  const command = commandOf(operands);
  if (!command) return nextNames(operands);
  const given = operands.length - command.name.split(" ").length;
  if (!command.answers || given > 0) return [];
  return await dynamic(cli, command.answers);
}

/** Names of commands and groups below what was typed. */
function nextNames(operands: readonly string[]): Candidate[] {
  const seen = new Map<string, string>();
  for (const spec of commands) {
    if (spec.hidden) continue;
    const [first = "", second] = spec.name.split(" ");
    if (operands.length === 0) seen.set(first, second ? (groups[first] ?? "") : spec.about);
    else if (operands.length === 1 && operands[0] === first && second) seen.set(second, spec.about);
  }
  return [...seen].map(([word, about]) => ({ word, about }));
}

function commandOf(operands: readonly string[]): CommandSpec | undefined {
  return commands.find((spec) => spec.name.split(" ").every((part, index) => operands[index] === part));
}

async function dynamic(cli: Cli, answers: Answers): Promise<readonly Candidate[]> {
  if (answers === "files") return [files];
  if (answers === "shells") return shells.map((word) => ({ word, about: "" }));
  const { pluginIds, configPaths, backupIds, namesBelow } = await import("./complete-data.ts");
  if (answers === "providers") return await namesBelow(cli, "models.providers");
  if (answers === "mcp-servers") return await namesBelow(cli, "tools.mcp.servers");
  if (answers === "plugins") return await pluginIds(cli);
  return answers === "backups" ? await backupIds(cli) : await configPaths(cli);
}
