/** Turns that are cut at their awkward moments: while they wait, in a hook, between two rounds of tools, under a reload. */
import { agent, definePlugin, type HookTaps, type Plugin, store } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { chatHost, HeldAnswer, identity, loops } from "./kit.ts";

/** Taps one hook with something that does not answer the first time until it is let go. */
function hangingTap(hook: keyof HookTaps): { plugin: Plugin; reached(): boolean; letGo(): void } {
  let reached = false;
  let letGo = () => {};
  const tap = () => {
    if (reached) return undefined;
    reached = true;
    return new Promise<void>((resolve) => {
      letGo = resolve;
    });
  };
  const plugin = definePlugin({
    id: "hanging",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) => ctx.on(hook, tap as HookTaps[typeof hook]),
  });
  return { plugin, reached: () => reached, letGo: () => letGo() };
}

describe("a turn that waits for its place", () => {
  it("is refused with 503 when the gateway stops: its message was not stored, so nothing says ok", async () => {
    const { host, say, run, model, history } = await chatHost({ config: { plugins: { drainMs: 20 } } });
    const held = new HeldAnswer();
    model.answer = held.answer;
    const first = run({ text: "first" });
    await until(() => held.asked);
    const second = say("second");
    const third = run({ text: "third" });
    await until(async () => JSON.stringify(await host.gateway.health()).includes('"waiting":2'));
    const refused = expect(third.done).rejects.toMatchObject({ code: "STOPPING", status: 503 });
    await host.plugins.reload("chat");
    expect(await first.done).toMatchObject({ stop: "aborted" });
    await refused;
    expect(await second).toMatchObject({ status: 503 });
    expect((await history()).filter((line) => line.startsWith("user"))).toEqual(["user: first"]);
  });
});

describe("a turn whose message is on its way to the disk when the gateway stops", () => {
  it("is run again by its key, without a second message", async () => {
    const { host, run, history } = await chatHost({ config: { plugins: { drainMs: 20 } } });
    const turns = host.service(agent);
    const closed = () => turns.run({ session: null, text: "", channel: "test", identity }).done;
    // The first turn loads what the others need.
    await run({ session: "first" }).done;
    let letGo = () => {};
    const disk = host.service(store).transaction(() => new Promise<void>((resolve) => (letGo = resolve)));
    const turn = run({ text: "pay", idempotencyKey: "k" });
    await loops(50);
    const disabled = host.plugins.disable("chat", "test");
    await until(() =>
      closed().then(
        () => false,
        () => true,
      ),
    );
    letGo();
    await disk;
    await expect(turn.done).rejects.toMatchObject({ code: "STOPPING", status: 503 });
    await disabled;
    await host.plugins.enable("chat", "test");
    const again = host.service(agent).run({
      session: "main",
      text: "pay",
      channel: "test",
      identity,
      idempotencyKey: "k",
    });
    expect(await again.done).toMatchObject({ text: "you said: pay", stop: "stop" });
    expect(await history()).toEqual(["user: pay", "assistant: you said: pay"]);
  });
});

describe("an abort", () => {
  it.each([
    ["message:in", []],
    ["agent:pick", []],
    ["model:request", ["user: hi"]],
    ["model:reply", ["user: hi", "assistant: you said: hi (partial)"]],
    ["message:out", ["user: hi"]],
  ] as const)("does not wait for a plugin that hangs in %s", async (hook, kept) => {
    const { plugin, reached, letGo } = hangingTap(hook);
    const { run, history } = await chatHost({ plugins: [plugin] });
    const turn = run({});
    await until(reached);
    turn.abort("test");
    expect(await turn.done).toMatchObject({ stop: "aborted" });
    expect(await history()).toEqual(kept);
    expect(await run({ text: "next" }).done).toMatchObject({ stop: "stop", text: "you said: next" });
    letGo();
  });
});

describe("a session", () => {
  it("is deleted at once though every place is taken, and though nobody may wait", async () => {
    const config = { agents: { defaults: { max_parallel_turns: 1, max_queued_turns: 0 } } };
    const { run, model, sessions } = await chatHost({ config });
    await run({ session: "old" }).done;
    const held = new HeldAnswer();
    model.answer = held.answer;
    const busy = run({ session: "busy" });
    await until(() => held.asked);
    expect(await sessions.remove("old")).toBe(true);
    expect(await sessions.remove("busy")).toBe(true);
    expect(await busy.done).toMatchObject({ stop: "aborted" });
    expect(await sessions.list()).toEqual([]);
  });
});
