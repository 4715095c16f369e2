/** What the command table is made of. */
import type { Handler } from "../cli.ts";

/** What may follow, for completion. */
export type Answers = "plugins" | "config-paths" | "backups" | "files" | "shells" | "providers" | "mcp-servers";

export interface OptionSpec {
  readonly flags: string;
  readonly about: string;
  readonly choices?: readonly string[];
}

export interface CommandSpec {
  /** `config set`. */
  readonly name: string;
  readonly args?: string;
  readonly about: string;
  readonly options?: readonly OptionSpec[];
  readonly examples: readonly string[];
  readonly answers?: Answers;
  readonly hidden?: boolean;
  readonly load: () => Promise<Handler>;
}
