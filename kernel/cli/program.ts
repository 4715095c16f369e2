/** Makes commander's program from the command table. Nothing is printed or ended here by commander on its own account. */
import { Command, Option } from "commander";
import { commands, groups } from "./commands.ts";
import type { Io } from "./io.ts";
import { flagsOf, openCli } from "./open.ts";
import { globalOptions } from "./table/global.ts";
import type { CommandSpec, OptionSpec } from "./table/spec.ts";

export interface ProgramOptions {
  readonly io: Io;
  readonly version: string;
  /** Gets the exit code of the command that ran. */
  readonly done: (code: number) => void;
}

export function createProgram(options: ProgramOptions): Command {
  const program = new Command("chela")
    .description("Self-hosted gateway for AI agents: one port, hot plugins, the APIs of ClawGo and OpenAI")
    .version(options.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void options.io.stdout.write(text),
      writeErr: (text) => void options.io.stderr.write(text),
      getOutHelpWidth: () => options.io.stdout.columns ?? 100,
      getErrHelpWidth: () => options.io.stderr.columns ?? 100,
      outputError: () => undefined,
    })
    .exitOverride()
    .showSuggestionAfterError(true);
  addOptions(program, globalOptions);
  const parents = new Map<string, Command>();
  for (const [name, about] of Object.entries(groups)) parents.set(name, program.command(name).description(about));
  for (const spec of commands) addCommand(spec, { program, parents, options });
  program.addHelpText(
    "after",
    help(["chela gateway run", 'chela chat -m "Hello"', "chela config set gateway.port 18791"]),
  );
  return program;
}

function addCommand(
  spec: CommandSpec,
  to: { program: Command; parents: ReadonlyMap<string, Command>; options: ProgramOptions },
): void {
  const [first = "", second] = spec.name.split(" ");
  const parent = second ? (to.parents.get(first) as Command) : to.program;
  const command = parent.command([second ?? first, spec.args].filter(Boolean).join(" "), { hidden: spec.hidden });
  command.description(spec.about);
  addOptions(command, spec.options ?? []);
  if (spec.examples.length > 0) command.addHelpText("after", help(spec.examples));
  if (spec.hidden) command.allowUnknownOption().helpOption(false);
  command.action(async () => {
    const [handler, cli] = await Promise.all([spec.load(), openCli(flagsOf(command.optsWithGlobals()), to.options.io)]);
    const code = await handler(cli, command.args, command.opts());
    to.options.done(code ?? 0);
  });
}

function addOptions(command: Command, specs: readonly OptionSpec[]): void {
  for (const spec of specs) {
    const option = new Option(spec.flags, spec.about);
    if (spec.choices) option.choices(spec.choices);
    command.addOption(option);
  }
}

function help(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}\n`;
}
