/** What a ledger says was acknowledged, found in the sessions: there, and there once. */
import { expect } from "vitest";
import type { RunningGateway } from "../../kit/gateway.ts";
import type { Ledger } from "./jobs.ts";

interface Entry {
  readonly role: string;
  readonly content: string;
  readonly state: string;
}

/** The newest 2,000 of a session: all, here. */
export async function entries(gateway: RunningGateway, session: string): Promise<Entry[]> {
  const reply = await gateway.fetch(`/api/chat/history?session=${session}&limit=2000`);
  return ((await reply.json()) as { messages: Entry[] }).messages;
}

export async function checkSessions(gateway: RunningGateway, ledger: Ledger): Promise<void> {
  for (const session of new Set([...ledger.tried.values()].map((said) => said.session))) {
    const count = new Map<string, number>();
    for (const { role, content } of await entries(gateway, session)) {
      const line = `${role}: ${content}`;
      count.set(line, (count.get(line) ?? 0) + 1);
    }
    for (const [message, said] of ledger.tried) {
      if (said.session !== session) continue;
      const found = [count.get(`user: ${message}`) ?? 0, count.get(`assistant: ${said.reply}`) ?? 0];
      if (ledger.said.has(message)) expect(found, message).toEqual([1, 1]);
      else expect(Math.max(...found), message).toBeLessThan(2);
    }
  }
}
