/** 200 sessions at once, with messages that steer, queue and are aborted at random: each one ends exactly once, in order. */
import type { Message, TurnResult } from "@chela/sdk";
import { expect, it } from "vitest";
import { callsTools, chatHost, says, toolCall } from "./kit.ts";

/** The same in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
const numbersIn = (messages: readonly Pick<Message, "role" | "content">[]) =>
  messages.filter(({ role }) => role === "user").map(({ content }) => Number(String(content).slice(1)));

interface Asked {
  readonly n: number;
  readonly id: () => string;
  readonly aborted: boolean;
  readonly done: Promise<TurnResult>;
}

it("every message is answered exactly once, or aborted by whoever asked; nothing is lost or out of order", {
  timeout: 120_000,
}, async () => {
  const config = { agents: { defaults: { max_parallel_turns: 150, context_compaction: { enabled: false } } } };
  const { run, model, sessions, host } = await chatHost({ config });
  const roll = dice(7);
  const heardBy = new Map<string, number[]>();
  model.answer = async function* (request) {
    for (let wait = Math.floor(roll() * 4); wait > 0; wait--) await pause();
    const caller = model.callers[model.requests.indexOf(request)];
    heardBy.set(caller?.turn ?? "", numbersIn(request.messages));
    if (request.toolChoice !== "none" && roll() < 0.6) return yield* callsTools([toolCall(`c${roll()}`, "look")]);
    for (let wait = Math.floor(roll() * 3); wait > 0; wait--) await pause();
    yield* says("ok");
  };
  // The first turn loads what the others need: until then nobody could be heard.
  await run({ session: "first" }).done;
  const perSession = 6;
  const talk = async (session: string): Promise<Asked[]> => {
    const asked: Asked[] = [];
    for (let n = 0; n < perSession; n++) {
      const turn = run({ session, text: `m${n}`, whenBusy: roll() < 0.85 ? "steer" : "queue" });
      const aborted = roll() < 0.15;
      asked.push({ n, id: () => turn.id, aborted, done: turn.done });
      for (let wait = Math.floor(roll() * 30); wait > 0; wait--) await pause();
      if (aborted) turn.abort("test");
    }
    return asked;
  };
  const names = Array.from({ length: 200 }, (_, n) => `storm-${n}`);
  const all = await Promise.all(names.map(async (session) => ({ session, asked: await talk(session) })));
  let joined = 0;
  for (const { session, asked } of all) {
    const results = await Promise.all(asked.map(({ done }) => done));
    const history = await sessions.history(session);
    const stored = numbersIn(history);
    expect(stored).toEqual([...stored].sort((a, b) => a - b));
    expect(new Set(stored).size).toBe(stored.length);
    expect(history.map(({ seq }) => seq)).toEqual(history.map((_, index) => index + 1));
    for (const [index, { n, aborted, id }] of asked.entries()) {
      const { stop, turn } = results[index] as TurnResult;
      expect(["stop", "aborted"]).toContain(stop);
      if (stop !== "stop") continue;
      // Its turn saw it, and it is the turn that its caller was told.
      expect(stored).toContain(n);
      expect(heardBy.get(turn)).toContain(n);
      expect(turn).toBe(id());
      if (!aborted && turn !== undefined && results.filter((other) => other.turn === turn).length > 1) joined += 1;
    }
    const turns = new Set(results.filter(({ stop }) => stop === "stop").map(({ turn }) => turn));
    const replies = history.filter(
      ({ role, toolCalls, state }) => role === "assistant" && !toolCalls && state === "complete",
    );
    expect(replies).toHaveLength(turns.size);
  }
  // Else nothing of this was tried.
  expect(joined).toBeGreaterThan(20);
  expect(JSON.stringify(await host.gateway.health())).toContain('"running":0,"waiting":0');
});
