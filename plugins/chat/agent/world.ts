/** What the agent needs of its surroundings, as plain functions and services, so that a turn can be read on its own. */
import type { Context, Logger, Providers, Store, Tools, TurnRecord, Usage, Workspace } from "@chela/sdk";
import type { RequestTable } from "../sessions/request-table.ts";
import type { SessionTable } from "../sessions/session-table.ts";
import type { AgentsSettings } from "../settings.ts";
import type { SummaryTable } from "./context/summary-table.ts";
import type { ModelFacts } from "./context/windows.ts";
import type { PartialTable } from "./partials.ts";
import type { PromptBook } from "./prompt/prompt.ts";
import type { Router } from "./team/router.ts";
import type { ToolSpecs } from "./tool-specs.ts";

export interface World {
  readonly store: Store;
  readonly providers: Providers;
  readonly tools: Tools;
  readonly toolSpecs: ToolSpecs;
  readonly sessions: SessionTable;
  readonly requests: RequestTable;
  readonly summaries: SummaryTable;
  readonly partials: PartialTable;
  readonly prompts: PromptBook;
  readonly router: Router;
  readonly models: ModelFacts;
  workspace(): Workspace | undefined;
  /** The section as it is now. */
  settings(): AgentsSettings;
  /** Whether anybody taps a hook: one that nobody taps is not worth a wait. */
  readonly listens: Context["listens"];
  /** Runs a hook of the conversation. */
  readonly call: Context["call"];
  /** US dollars that a call of a model has cost; null where its price is not known. */
  price(model: string, usage: Usage): number | null;
  /** Tells observers that a turn began in a session; never throws. */
  started(turn: string, session: string | null): void;
  /** Tells observers that a turn ended; never throws, never waits. */
  ended(record: TurnRecord): void;
  readonly log: Logger;
}
