/** Who may hand work to whom, how deep and to how many at once: the limits of a tree of turns. */
import { GatewayError, type Turn } from "@chela/sdk";
import type { AgentsSettings } from "../../settings.ts";
import { type AgentProfile, agentProfile } from "./profiles.ts";

/** A child's place in its family. */
export interface Place {
  /** 1, 2, 3 … among the children of one turn. */
  readonly number: number;
  leave(): void;
}

export class Family {
  readonly #settings: () => AgentsSettings;
  /** Children at work, by the turn that waits for them, or by the session that they will report to. */
  readonly #working = new Map<string, number>();
  /** Children so far, by turn. */
  readonly #numbers = new Map<string, number>();

  constructor(settings: () => AgentsSettings) {
    this.#settings = settings;
  }

  /** The profile of the one who gets the work. Throws `SPAWN_REFUSED`, `AGENT_UNKNOWN`. */
  chosen(parent: Turn, agent: string | undefined): AgentProfile {
    const settings = this.#settings();
    const child = agentProfile(settings, agent || parent.agent);
    if (child.id === parent.agent) return child;
    const { canTalkTo } = agentProfile(settings, parent.agent);
    const allowed = (canTalkTo?.includes(child.id) ?? true) && (child.acceptFrom?.includes(parent.agent) ?? true);
    if (allowed) return child;
    throw refused(
      `"${parent.agent}" may not hand work to "${child.id}" (agents.subagents: can_talk_to of the one, accept_from of the other)`,
    );
  }

  /** Whoever speaks to another session hands work on, too: two that answer each other would never end. Throws `SPAWN_DEPTH` 403. */
  assertDepth(parent: Turn): void {
    const { max_depth: depth } = this.#settings().defaults.subagents;
    if ((parent.depth ?? 0) < depth) return;
    const message = `a subagent ${depth} deep may not hand work on (agents.defaults.subagents.max_depth)`;
    throw new GatewayError("SPAWN_DEPTH", 403, message);
  }

  /** Takes a place. Throws `SPAWN_DEPTH` 403, `SPAWN_LIMIT` 429. */
  enter(parent: Turn, background: boolean): Place {
    this.assertDepth(parent);
    const { max_children: most } = this.#settings().defaults.subagents;
    const key = background ? `session ${parent.session}` : `turn ${parent.id}`;
    const working = this.#working.get(key) ?? 0;
    if (working >= most) {
      throw new GatewayError(
        "SPAWN_LIMIT",
        429,
        `${most} subagents are at work already (agents.defaults.subagents.max_children): wait for one of them`,
      );
    }
    this.#working.set(key, working + 1);
    const number = (this.#numbers.get(parent.id) ?? 0) + 1;
    this.#numbers.set(parent.id, number);
    return { number, leave: () => this.#leave(key) };
  }

  /** A turn has ended: nobody will be its child any more. */
  ended(turn: string): void {
    this.#numbers.delete(turn);
  }

  #leave(key: string): void {
    const left = (this.#working.get(key) ?? 1) - 1;
    if (left > 0) this.#working.set(key, left);
    else this.#working.delete(key);
  }
}

export function refused(message: string): GatewayError {
  return new GatewayError("SPAWN_REFUSED", 403, message);
}
