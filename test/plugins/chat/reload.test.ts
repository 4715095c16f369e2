import { agent, sessions, store } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { chatHost, HeldAnswer, lastText } from "./kit.ts";

describe("turns while plugins change", () => {
  it.each(["chat", "store"])("all succeed while %s is reloaded again and again", async (id) => {
    const { host, say } = await chatHost();
    let reloading = true;
    const statuses: number[] = [];
    const client = async (session: string) => {
      let n = 0;
      while (reloading || n < 10) statuses.push((await say(`${n++}`, { session })).status);
    };
    const clients = ["a", "b", "c", "d"].map(client);
    for (let round = 0; round < 5; round++) await host.plugins.reload(id);
    reloading = false;
    await Promise.all(clients);
    expect(statuses.length).toBeGreaterThanOrEqual(40);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    for (const session of ["a", "b", "c", "d"]) {
      const stored = await host.service(sessions).history(session, { limit: 2_000 });
      expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1));
      expect(stored.map(({ role }) => role)).toEqual(
        stored.map((_, index) => (index % 2 === 0 ? "user" : "assistant")),
      );
    }
  });

  it("keep what was said when the gateway stops, also when nobody listens any more", async () => {
    const { host, run, model, sessions: table } = await chatHost({ config: { plugins: { drainMs: 20 } } });
    const held = new HeldAnswer();
    model.answer = held.answer;
    const turn = run({ text: "x" });
    held.say("half");
    await until(() => held.asked);
    for await (const event of turn.events) if (event.type === "text") break;
    const kept = until(async () => (await table.history("main")).length === 2);
    const reloaded = host.plugins.reload("chat");
    await kept;
    await reloaded;
    expect(await turn.done).toMatchObject({ stop: "aborted", text: "half" });
    expect(await table.history("main")).toMatchObject([
      { role: "user" },
      { role: "assistant", state: "partial", content: "half" },
    ]);
  });

  it("that began in the new instance are not taken for dead ones when the old one has let go", async () => {
    const { host, say, model, history } = await chatHost({ config: { plugins: { drainMs: 20_000 } } });
    const [old, young] = [new HeldAnswer(), new HeldAnswer()];
    model.answer = (request, signal) => (lastText(request) === "old" ? old : young).answer(request, signal);
    const drained = say("old", { session: "a" });
    await until(() => old.asked);
    const before = host.service(agent);
    const reloaded = host.plugins.reload("chat");
    await until(() => host.service(agent) !== before);
    const begun = say("young", { session: "b" });
    young.say("half");
    const partials = () => host.service(store).all("SELECT turn FROM chat_partials WHERE session = 'b'");
    await until(async () => (await partials()).length === 1, 10_000);
    old.end();
    await drained;
    await reloaded;
    expect(await history("b")).toEqual(["user: young"]);
    young.say(" and half");
    young.end();
    expect((await begun).status).toBe(200);
    expect(await history("b")).toEqual(["user: young", "assistant: half and half"]);
    expect(await partials()).toEqual([]);
  });
});
