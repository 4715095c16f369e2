/** What a running turn consists of, from the moment its message is stored. */
import type { Message, Turn, TurnRequest, Usage } from "@chela/sdk";
import type { Compactor } from "./context/compactor.ts";
import type { Summary } from "./context/summary-table.ts";
import type { Budget, LoopGuard } from "./guards.ts";
import type { Journal } from "./journal.ts";
import type { LiveRun } from "./live-run.ts";
import type { Inbox, Said } from "./steering.ts";
import type { AgentProfile } from "./team/profiles.ts";
import type { World } from "./world.ts";

/** What a turn is given. */
export interface TurnParts {
  readonly world: World;
  readonly run: LiveRun;
  readonly request: TurnRequest;
  readonly journal: Journal;
  readonly inbox: Inbox;
  readonly budget: Budget;
  readonly compactor: Compactor;
  /** Its message is stored already. */
  readonly said: Said | undefined;
}

export interface Play extends TurnParts {
  readonly profile: AgentProfile;
  readonly clientTools: ReadonlySet<string>;
  readonly guard: LoopGuard;
  /** The prompts, ours first. */
  readonly system: readonly Message[];
  /** Sequence number of the user's message; 0: nothing is stored. */
  readonly userSeq: number;
  /** Stands for what is older than `earlier`. */
  summary: Summary | undefined;
  earlier: readonly Message[];
  /** What the user says, and what came of it so far. */
  readonly now: Message[];
  /** Its identity is the weakest of those who have a say. */
  turn: Turn;
  usage: Usage | null;
  /** US dollars; null: what one of its calls has cost is not known. */
  cost: number | null;
}

/** The session that the store knows, where the conversation comes from there. */
export function storedSession({ request }: Pick<TurnParts, "request">): string | undefined {
  return request.context || request.session === null ? undefined : request.session;
}
