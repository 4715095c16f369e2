/** Who may hand work to whom, how deep and to how many at once: the limits of a tree of turns. */
import { GatewayError, type Turn } from "@chela/sdk";
import type { AgentsSettings } from "../../settings.ts";
import { type AgentProfile, agentProfile } from "./profiles.ts";

/** A child's place in its family. */
export interface Place {
  /** 1, 2, 3 … among the children of one turn. */
  readonly number: number;
  /** The session of those who handed the work on, by the key it has now; null: nobody there waits for it any more. */
  readonly home: string | null;
  leave(): void;
}

type Kept = { -readonly [K in keyof Place]: Place[K] } & { readonly asked: number };

export class Family {
  readonly #settings: () => AgentsSettings;
  readonly #runs: (turn: string) => boolean;
  /** Children at work, by the turn that waits for them, or by the session that they will report to. */
  readonly #working = new Map<string, Set<Kept>>();
  /** Children so far, by turn. */
  readonly #numbers = new Map<string, number>();

  /** `runs`: whether `ended` will be told of a turn. A tool may be called without any. */
  constructor(settings: () => AgentsSettings, runs: (turn: string) => boolean) {
    this.#settings = settings;
    this.#runs = runs;
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

  /**
   * Takes a place. Whoever speaks to another session hands work on, too: two that answer each other would never end. Throws
   * `SPAWN_DEPTH` 403, `SPAWN_LIMIT` 429.
   */
  enter(parent: Turn, { background, asked = 0 }: { background: boolean; asked?: number }): Place {
    const { max_depth: depth, max_children: most } = this.#settings().defaults.subagents;
    if ((parent.depth ?? 0) >= depth) {
      const message = `a subagent ${depth} deep may not hand work on (agents.defaults.subagents.max_depth)`;
      throw new GatewayError("SPAWN_DEPTH", 403, message);
    }
    const key = background ? atHome(parent.session) : `turn ${parent.id}`;
    const others = this.#working.get(key) ?? new Set();
    if (others.size >= most) {
      throw new GatewayError(
        "SPAWN_LIMIT",
        429,
        `${most} subagents are at work already (agents.defaults.subagents.max_children): wait for one of them`,
      );
    }
    const number = (this.#numbers.get(parent.id) ?? 0) + 1;
    this.#numbers.set(parent.id, number);
    const place: Kept = {
      number,
      home: parent.session,
      asked,
      leave: () => {
        this.#leave(background ? atHome(place.home) : key, place);
        if (!this.#runs(parent.id)) this.ended(parent.id);
      },
    };
    this.#working.set(key, others.add(place));
    return place;
  }

  /** A turn has ended: nobody will be its child any more. */
  ended(turn: string): void {
    this.#numbers.delete(turn);
  }

  /** A session has the key `to` now, or is gone: whoever was to report to it follows, or tells nobody. */
  moved(session: string, to: string | undefined): void {
    const places = this.#working.get(atHome(session));
    if (!places) return;
    this.#working.delete(atHome(session));
    for (const place of places) place.home = to ?? null;
    if (to !== undefined) this.#working.set(atHome(to), places);
  }

  /** The messages of a session are gone from `seq` on: work that one of them asked for has nobody to report to. */
  rewound(session: string, seq: number): void {
    const key = atHome(session);
    for (const place of this.#working.get(key) ?? []) {
      if (place.asked < seq) continue;
      place.home = null;
      this.#leave(key, place);
    }
  }

  #leave(key: string, place: Kept): void {
    const places = this.#working.get(key);
    places?.delete(place);
    if (places?.size === 0) this.#working.delete(key);
  }
}

function atHome(session: string | null): string {
  return `session ${session}`;
}

export function refused(message: string): GatewayError {
  return new GatewayError("SPAWN_REFUSED", 403, message);
}
