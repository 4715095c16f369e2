/** What a model asked to run, as an argv: a program with arguments, or one whole line for `sh -c`. Pure. */
import { GatewayError } from "@chela/sdk";

export interface CommandInput {
  readonly command?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly shell?: boolean | undefined;
}

export interface Argv {
  readonly command: string;
  readonly args: readonly string[];
}

/** With `args` (also empty ones) the command is a program, found in PATH; alone it is a line for the shell. */
export function argvOf({ command = "", args, shell }: CommandInput): Argv {
  if (command.trim() === "") throw refused("command is empty");
  if (shell === true && args?.length) throw refused("a shell line takes no args: put everything into command");
  if (shell === false || (args && shell !== true)) return { command: command.trim(), args: args ?? [] };
  if (process.platform === "win32") throw refused("there is no sh here: give the program in command and its args");
  return { command: "/bin/sh", args: ["-c", command] };
}

function refused(message: string): GatewayError {
  return new GatewayError("COMMAND_REFUSED", 400, message);
}
