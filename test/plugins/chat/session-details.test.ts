/** What a page shows of each session in its list, and the events that keep the list up to date. */
import { events } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { SessionService } from "../../../plugins/chat/sessions/session-service.ts";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, identity, says, toolCall } from "./kit.ts";
import { openSessions } from "./session-service.ts";

const detailed = "/api/sessions?details=1";

describe("GET /api/sessions?details=1", () => {
  it("shows how a session begins, what was said last, and whether a turn runs", async () => {
    const { host, model, run } = await chatHost();
    const replies = [callsTools([toolCall("1", "look")], "one moment"), says("\u001b[31mall\n\n is well")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    const rows = async (path = detailed) =>
      ((await host.request(path)).json() as { sessions: Record<string, unknown>[] }).sessions;
    await run({ text: `Is all well? ${"x".repeat(100)}` }).done;
    expect(await rows()).toMatchObject([
      {
        key: "main",
        messages: 4,
        epoch: expect.any(String),
        first: `Is all well? ${"x".repeat(66)}…`,
        preview: "[31mall is well",
        running: false,
      },
    ]);
    const held = new HeldAnswer();
    model.answer = held.answer;
    const turn = run({ text: `And now? ${"🦀".repeat(100)}` });
    await until(() => held.asked);
    const [row] = await rows();
    expect(row).toMatchObject({ running: true, preview: `And now? ${"🦀".repeat(75)}…` });
    const { signal } = new AbortController();
    const info = (key: string) => host.gateway.call("sessions.info", { key }, { identity, id: "1", signal });
    expect(await info("main")).toEqual({ session: row });
    expect(await info("none")).toEqual({ session: null });
    held.end();
    await turn.done;
    expect(await rows("/api/sessions")).toEqual([
      { key: "main", channel: "main", kind: "other", messages: 5, updated_at: expect.any(Number) },
    ]);
  });

  it("passes over messages without words, and shows none of what nobody says", async () => {
    const { host, sessions } = await chatHost();
    const call = { role: "assistant", content: "", toolCalls: [toolCall("1", "look")] } as const;
    const picture = { type: "image", url: `data:image/png;base64,${"A".repeat(5_000)}` } as const;
    await sessions.append("calls", [
      { role: "user", content: "do it" },
      call,
      { role: "tool", content: "secret", toolCallId: "1" },
    ]);
    await sessions.append("picture", [{ role: "user", content: [{ type: "text", text: "see" }, picture] }]);
    await sessions.append("tool", [{ role: "tool", content: "secret", toolCallId: "1" }]);
    const answer = (await host.request(detailed)).json() as { sessions: { key: string }[] };
    const of = (key: string) => answer.sessions.find((row) => row.key === key);
    expect(of("calls")).toMatchObject({ first: "do it", preview: "do it" });
    expect(of("picture")).toMatchObject({ first: "see", preview: "see" });
    expect(of("tool")).not.toHaveProperty("first");
    expect(of("tool")).not.toHaveProperty("preview");
  });

  it("names the agent that a session has, where the router keeps it", async () => {
    const agents = {
      entries: { ann: { system_prompt: "I am Ann" } },
      router: { enabled: true, allow_direct_agent_chat: true, sticky_thread_owner: true },
    };
    const { host, say } = await chatHost({ config: { agents } });
    await say("@ann hello");
    expect((await host.request(detailed)).json()).toMatchObject({ sessions: [{ key: "main", agent: "ann" }] });
  });

  it("reads a few rows of each session, however long it is", { timeout: 60_000 }, async () => {
    const { store, sessions } = await openSessions();
    await sessions.append("main", [{ role: "user", content: "first" }]);
    await store.run(
      `INSERT INTO chat_messages (session, seq, at, role, content, state)
       WITH RECURSIVE n(seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM n WHERE seq < 300000)
       SELECT 'main', seq, 1, 'tool', '"x"', 'complete' FROM n`,
    );
    const times: number[] = [];
    for (let round = 0; round < 10; round++) {
      const from = performance.now();
      expect((await sessions.details(["main", "nobody"])).get("main")).toEqual({
        epoch: expect.any(String),
        first: "first",
        running: false,
      });
      times.push(performance.now() - from);
    }
    // Reading all of it takes fifty times as long.
    expect(Math.min(...times)).toBeLessThan(5);
  });

  it("of many sessions are complete", async () => {
    const { store } = await openSessions();
    const agents = async (keys: readonly string[]) => new Map(keys.map((key) => [key, `agent of ${key}`]));
    const sessions = new SessionService({ store, log: { warn: () => {} }, alone: (_, work) => work(), agents });
    const keys = Array.from({ length: 450 }, (_, n) => `s${n}`);
    for (const key of keys) await sessions.append(key, [{ role: "user", content: key }]);
    const details = await sessions.details(keys);
    expect(keys.every((key) => details.get(key)?.preview === key)).toBe(true);
    expect(details.get("s449")?.agent).toBe("agent of s449");
    await sessions.close();
  });
});

it("events say when a turn begins, after its message is stored, and when it has ended", async () => {
  const { host, sessions, run } = await chatHost();
  const seen: unknown[] = [];
  host.service(events).subscribe(({ type, payload }) => {
    if (type === "turn_started") void sessions.history("main").then((stored) => seen.push(payload, stored.length));
    else if (type === "session_changed") seen.push(payload);
  });
  await run({ session: null, text: "nobody's" }).done;
  const turn = run({ text: "hello" });
  await turn.done;
  await until(() => seen.length === 3);
  expect(seen).toContainEqual({ session: "main", turn: turn.id });
  expect(seen.filter((item) => typeof item === "number")[0]).toBeGreaterThanOrEqual(1);
  const types = host
    .service(events)
    .since(0)
    .events.map(({ type }) => type);
  expect(types.filter((type) => /^(turn|session)_/.test(type))).toEqual(["turn_started", "session_changed"]);
});
