import { sessions } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { chatHost, HeldAnswer } from "./kit.ts";

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
});
