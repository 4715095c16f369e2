/**
 * Which agent answers when neither the caller nor a plugin says: `@ID`, rules by keywords, turns by turns, and, where that
 * is wanted, whoever answered in this session before. Off unless `agents.router.enabled`.
 */
import { BoundedMap, type InboundMessage, type Query, type Store } from "@chela/sdk";
import type { AgentsSettings } from "../../settings.ts";
import { listAgents, mainAgent } from "./profiles.ts";

const rememberedSessions = 1_000;

export class Router {
  readonly #store: Store;
  readonly #settings: () => AgentsSettings;
  /** Undefined: the table has none. */
  readonly #owners = new BoundedMap<string, string | undefined>(rememberedSessions);
  #next = 0;

  constructor(store: Store, settings: () => AgentsSettings) {
    this.#store = store;
    this.#settings = settings;
  }

  /** Undefined: the main agent. */
  async pick(message: InboundMessage): Promise<string | undefined> {
    const settings = this.#settings();
    const { router } = settings;
    if (!router.enabled) return undefined;
    const agents = listAgents(settings, () => "").map(({ id }) => id);
    const { session } = message;
    const sticky = router.sticky_thread_owner && session !== null;
    const named = this.#named(message.text, agents) ?? this.#byRules(message.text, agents);
    if (named !== undefined) {
      if (sticky) await this.#own(session, named);
      return named;
    }
    const owner = sticky ? await this.#owner(session) : undefined;
    if (owner !== undefined && agents.includes(owner)) return owner;
    const turn = this.#inTurn(agents);
    if (turn !== undefined && sticky) await this.#own(session, turn);
    return turn ?? (agents.includes(router.main_agent_id) ? router.main_agent_id : undefined);
  }

  /** A session has another key now; without `to` it is gone. */
  async move(query: Query, session: string, to: string | undefined): Promise<void> {
    await query.run("DELETE FROM chat_owners WHERE session = ?", to ?? session);
    if (to !== undefined) await query.run("UPDATE chat_owners SET session = ? WHERE session = ?", to, session);
  }

  async copy(query: Query, { key, to }: { key: string; to: string }): Promise<void> {
    const sql = "INSERT INTO chat_owners (session, agent) SELECT ?, agent FROM chat_owners WHERE session = ?";
    await query.run("DELETE FROM chat_owners WHERE session = ?", to);
    await query.run(sql, to, key);
  }

  /** Who answered in these sessions before, where the next turn asks for that. */
  async owners(sessions: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { router } = this.#settings();
    if (!router.enabled || !router.sticky_thread_owner || sessions.length === 0) return new Map();
    const sql = `SELECT session, agent FROM chat_owners WHERE session IN (${sessions.map(() => "?").join(", ")})`;
    const rows = await this.#store.all<{ session: string; agent: string }>(sql, ...sessions);
    return new Map(rows.map(({ session, agent }) => [session, agent]));
  }

  /** The key may stand for something else now. */
  forget(session: string): void {
    this.#owners.delete(session);
  }

  /** `@coder fix this`; `@main` leads back. */
  #named(text: string, agents: readonly string[]): string | undefined {
    if (!this.#settings().router.allow_direct_agent_chat) return undefined;
    const name = /^\s*@([\w.-]{1,64})(?=[\s:,\uff1a\uff0c\u3001]|$)/.exec(text)?.[1]?.toLowerCase();
    return name === undefined ? undefined : agents.find((id) => id.toLowerCase() === name);
  }

  /** The first rule of which a keyword is in the text, letter case aside. */
  #byRules(text: string, agents: readonly string[]): string | undefined {
    const { strategy, rules } = this.#settings().router;
    if (strategy !== "rules_first") return undefined;
    const said = text.toLowerCase();
    const rule = rules.find(
      ({ agent_id, keywords }) =>
        agents.includes(agent_id) && keywords.some((word) => word.trim() !== "" && said.includes(word.toLowerCase())),
    );
    return rule?.agent_id;
  }

  #inTurn(agents: readonly string[]): string | undefined {
    if (this.#settings().router.strategy !== "round_robin") return undefined;
    const others = agents.filter((id) => id !== mainAgent);
    return others.length === 0 ? undefined : others[this.#next++ % others.length];
  }

  async #owner(session: string): Promise<string | undefined> {
    if (this.#owners.has(session)) return this.#owners.get(session);
    const row = await this.#store.get<{ agent: string }>("SELECT agent FROM chat_owners WHERE session = ?", session);
    this.#owners.set(session, row?.agent);
    return row?.agent;
  }

  async #own(session: string, agent: string): Promise<void> {
    if (this.#owners.get(session) === agent) return;
    const sql =
      "INSERT INTO chat_owners (session, agent) VALUES (?, ?) ON CONFLICT (session) DO UPDATE SET agent = excluded.agent";
    await this.#store.run(sql, session, agent);
    this.#owners.set(session, agent);
  }
}
