/** What every command is handed: the process, the output, the global flags and where things are. */
import type { Io } from "./io.ts";
import type { Output } from "./output.ts";

/** The options that every command takes. */
export interface Flags {
  readonly config?: string | undefined;
  readonly stateDir?: string | undefined;
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly json: boolean;
  readonly color: boolean;
  readonly verbose: boolean;
}

export interface Places {
  readonly stateDir: string;
  readonly configPath: string;
  /** The config file was named, by flag or environment. */
  readonly configNamed: boolean;
}

export interface Cli {
  readonly io: Io;
  readonly out: Output;
  readonly flags: Flags;
  readonly places: Places;
}

export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** A command. Resolves to the exit code; nothing means 0. */
export type Handler = (cli: Cli, args: readonly string[], options: Options) => Promise<number | void>;
