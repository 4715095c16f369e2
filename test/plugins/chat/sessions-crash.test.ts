/** kill -9 while a transcript is imported and indexed: nothing is there twice, nothing is missing after another import, all of it is found. */
import { expect, it } from "vitest";
import { type RunningGateway, ready, startGateway } from "../../kit/gateway.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";

const count = 8_000;
const transcript = Array.from({ length: count }, (_, n) =>
  JSON.stringify({
    role: n % 2 ? "assistant" : "user",
    content: `message number${n} 第${n}条`,
    timestamp: 1_700_000_000_000 + n,
  }),
).join("\n");

const send = (gateway: RunningGateway) =>
  gateway.fetch("/api/sessions/import?key=big", {
    method: "POST",
    body: transcript,
    headers: { "content-type": "application/x-ndjson" },
  });

async function stored(gateway: RunningGateway): Promise<number> {
  const { sessions } = (await (await gateway.fetch("/api/sessions")).json()) as {
    sessions: { key: string; messages?: number }[];
  };
  return sessions.find(({ key }) => key === "big")?.messages ?? 0;
}

async function search(gateway: RunningGateway, words: string) {
  const answer = await gateway.fetch(`/api/sessions/search?query=${encodeURIComponent(words)}`);
  return (await answer.json()) as { results: { key: string; snippets: { seq: number }[] }[]; missing?: number };
}

it("an import that was killed is taken up again", { timeout: 180_000 }, async () => {
  const stateDir = tempDir("import");
  const first = await startGateway({ stateDir });
  const cut = send(first).catch(() => undefined);
  await until(async () => (await stored(first)) > 500, 60_000, "a part of the import");
  const asked = search(first, "number3").catch(() => undefined);
  await until(async () => (await stored(first)) > 1_500, 60_000, "more of the import");
  first.signal("SIGKILL");
  await first.ended;
  await Promise.all([cut, asked]);
  const second = await startGateway({ stateDir });
  await ready(second);
  const before = await stored(second);
  expect(before).toBeGreaterThan(500);
  expect(before).toBeLessThan(count);
  const report = (await (await send(second)).json()) as { imported: number; duplicates: number };
  expect(report).toMatchObject({ imported: count - before, duplicates: before });
  expect(await stored(second)).toBe(count);
  await until(async () => (await search(second, `number${count - 1}`)).missing === undefined, 60_000, "the index");
  for (const n of [0, 3, before - 1, before, count - 1]) {
    const { results } = await search(second, `number${n}`);
    expect(results[0]?.snippets[0]?.seq, `number${n}`).toBe(n + 1);
    expect((await search(second, `第${n}条`)).results[0]?.key).toBe("big");
  }
  const answer = await second.fetch("/api/call", {
    method: "POST",
    body: JSON.stringify({ method: "store.integrity" }),
  });
  expect(await answer.json()).toMatchObject({ ok: true, result: { ok: true, problems: [] } });
});
