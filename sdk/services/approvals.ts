/** Approvals: tool calls that wait for a person. Nobody there to ask means no. */
import type { Identity } from "../identity.ts";
import { defineService } from "../service.ts";

/** A call that waits. */
export interface Approval {
  readonly id: string;
  readonly tool: string;
  readonly risk: "read" | "write" | "exec";
  /** The whole input, as it would run: JSON text, never shortened. */
  readonly input: string;
  /** SHA-256 of tool and input, hex: a decision names it, so that nothing else can be approved. */
  readonly hash: string;
  readonly session: string | null;
  /** Session in which somebody asked, where that is another one: a subagent wants to run this. */
  readonly root: string | null;
  readonly turn: string;
  readonly agent: string;
  /** Id of who asked the agent. */
  readonly identity: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** What a person says to it. `always`: also for every later call of this tool in this session, while the gateway runs. */
export type ApprovalDecision = "allow" | "always" | "deny";

/** Provided by the plugin `tools`. Every change is an event: `approval_requested`, `approval_resolved`. */
export interface Approvals {
  pending(): readonly Approval[];
  /** Throws `APPROVAL_UNKNOWN` 404 when it is over, `APPROVAL_CHANGED` 409 when the hash is another, `FORBIDDEN` without admin. */
  decide(id: string, hash: string, decision: ApprovalDecision, by: Identity): Promise<void>;
  /**
   * Somebody who may decide is there, until the returned function is called; with `session`, for what is asked on behalf of
   * that session only. Throws `FORBIDDEN` without admin.
   */
  attend(who: Identity, session?: string): () => void;
}

/** Name it in `needs`. */
export const approvals = defineService<Approvals>("approvals", "1.0.0");
