/** What `doctor` finds: one row per thing looked at, and what to do when it is wrong. */
import type { Cli } from "./cli.ts";

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly message: string;
  /** What to do; empty when all is well. */
  readonly fix: string;
}

export interface Check {
  readonly name: string;
  run(cli: Cli): Promise<readonly Finding[]>;
}

export function good(check: string, message: string): Finding {
  return { check, ok: true, message, fix: "" };
}

export function bad(check: string, message: string, fix: string): Finding {
  return { check, ok: false, message, fix };
}
