/** What the agent needs of its surroundings, as plain functions and services, so that a turn can be read on its own. */
import type { Context, Logger, Providers, Tools, TurnRecord } from "@chela/sdk";
import type { RequestTable } from "./request-table.ts";
import type { SessionTable } from "./session-table.ts";
import type { AgentsSettings } from "./settings.ts";

export interface World {
  readonly providers: Providers;
  readonly tools: Tools;
  readonly sessions: SessionTable;
  readonly requests: RequestTable;
  /** The section as it is now. */
  settings(): AgentsSettings;
  /** Runs a hook of the conversation. */
  readonly call: Context["call"];
  /** Tells observers that a turn ended; never throws, never waits. */
  ended(record: TurnRecord): void;
  readonly log: Logger;
}
