/** An import into a session in which a turn runs: it comes after the turn, never into the middle of it. */
import { gateway } from "@chela/sdk";
import { expect, it } from "vitest";
import { pauseFor, until } from "../../kit/until.ts";
import { chatHost, HeldAnswer } from "./kit.ts";

const transcript = ["user", "assistant"]
  .map((role) => `${JSON.stringify({ type: "message", message: { role, content: `imported ${role}` } })}\n`)
  .join("");

async function busy() {
  const made = await chatHost();
  const held = new HeldAnswer();
  made.model.answer = held.answer;
  const said = made.say("one", { session: "main" });
  await until(() => held.asked);
  const take = (more = "", signal?: AbortSignal) =>
    made.host.request(`/api/sessions/import?key=main${more}`, {
      method: "POST",
      body: Buffer.from(transcript),
      headers: { "content-type": "application/x-ndjson" },
      ...(signal ? { signal } : {}),
    });
  const waits = (count: number) =>
    until(async () => {
      const { checks } = await made.host.service(gateway).health();
      return checks.find(({ plugin, name }) => plugin === "chat" && name === "agent")?.waiting === count;
    });
  return { ...made, held, said, take, waits };
}

it("waits for the turn, and the next turn for it", async () => {
  const { held, history, said, say, take, waits } = await busy();
  const imported = take();
  await waits(1);
  const next = say("two", { session: "main" });
  await waits(2);
  held.say("an answer");
  expect(await history()).toEqual(["user: one"]);
  held.end();
  held.say("another");
  held.end();
  await Promise.all([said, next]);
  expect((await imported).json()).toMatchObject({ imported: 2 });
  expect(await history()).toEqual([
    ...["user: one", "assistant: an answer", "user: imported user", "assistant: imported assistant"],
    ...["user: two", "assistant: another"],
  ]);
});

it("says that it waits, and is counted at once when it is only tried", async () => {
  const { held, history, said, take } = await busy();
  expect((await take("&dry_run=1")).json()).toMatchObject({ imported: 2 });
  const imported = take("&progress=1");
  await pauseFor(700);
  held.end();
  await said;
  const lines = (await imported).text.trim().split("\n");
  expect(JSON.parse(lines[0] as string)).toEqual({ type: "progress", key: "main", lines: 0, waiting: true });
  expect((await history()).at(-1)).toBe("assistant: imported assistant");
});

it("leaves its place when whoever asked for it goes", async () => {
  const { held, history, said, say, take, waits } = await busy();
  const leave = new AbortController();
  const imported = take("", leave.signal).catch(() => "gone");
  await waits(1);
  leave.abort();
  expect(await imported).toBe("gone");
  await waits(0);
  held.end();
  held.end();
  await said;
  expect((await say("two", { session: "main" })).status).toBe(200);
  expect(await history()).not.toContain("user: imported user");
});
