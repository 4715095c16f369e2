/** ClawGo contract §1.4 and §1.10: the event stream, the log and its tail. The first state of a new gateway, as documented. */
import { appendFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { askAsOwner, gatewayForAll, talk } from "./kit.ts";

/** Its log holds what a test appends: the lines of a start come when they come. */
const gateway = gatewayForAll({ config: { logging: { level: "error" } } });
const logFile = () => join(gateway().stateDir, "logs", "chela.log");

async function recent(query = ""): Promise<Record<string, unknown>[]> {
  const answer = await askAsOwner(gateway(), `/api/logs/recent${query}`);
  expect(answer.status).toBe(200);
  return (answer.json() as { logs: Record<string, unknown>[] }).logs;
}

describe("a gateway that nobody has used yet", () => {
  it("has the session `main`, as the API document shows, and no messages", async () => {
    expect((await askAsOwner(gateway(), "/api/sessions")).json()).toEqual({
      ok: true,
      sessions: [{ key: "main", channel: "main" }],
    });
    expect((await askAsOwner(gateway(), "/api/chat/history")).json()).toEqual({
      ok: true,
      session: "main",
      messages: [],
    });
  });
});

describe("1.4 GET /api/events/live", () => {
  it("11.7: `ready` comes first, also with events to repeat", async () => {
    const first = await talk(gateway(), "/api/events/live");
    expect(await first.frame()).toMatchObject({ type: "ready" });
    await askAsOwner(gateway(), "/api/config", { body: { logging: { retention_days: 4 } } });
    expect(await first.frame()).toMatchObject({ type: "config_changed", source: "webui" });
    const second = await talk(gateway(), "/api/events/live?since=0");
    expect(await second.frame()).toMatchObject({ type: "ready" });
    await until(() => second.waiting.some(({ type }) => type === "config_changed"));
  });

  it("ignores what the client says", async () => {
    const events = await talk(gateway(), "/api/events/live");
    await events.frame();
    events.say("{ not json");
    events.say(JSON.stringify({ type: "subscribe", channel: "x" }));
    await askAsOwner(gateway(), "/api/config", { body: { logging: { retention_days: 5 } } });
    expect(await events.frame()).toMatchObject({ type: "config_changed" });
  });
});

describe("1.10 GET /api/logs/recent", () => {
  it("gives lines that are objects as they are, with the names of the document and of ClawGo's own lines", async () => {
    const [line] = await recent("?limit=1");
    for (const name of ["time", "timestamp", "level", "msg", "message"]) expect(line).toHaveProperty(name);
    appendFileSync(logFile(), '{"level":"warn","component":"mine","code":7,"fields":{"a":[1]}}\n');
    expect(await recent("?limit=1")).toEqual([{ level: "warn", component: "mine", code: 7, fields: { a: [1] } }]);
  });

  it("wraps plain text as time, level and msg", async () => {
    appendFileSync(logFile(), "plain text of another program\n[1,2]\n");
    const logs = await recent("?limit=2");
    expect(logs).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as unknown,
        level: "INFO",
        msg: "plain text of another program",
      },
      { time: expect.any(String) as unknown, level: "INFO", msg: "[1,2]" },
    ]);
  });

  it("11.7: the limit is 10 by default, 200 at most; what is no positive number is the default", async () => {
    appendFileSync(logFile(), Array.from({ length: 260 }, (_, i) => `{"n":${i}}\n`).join(""));
    const counts: Record<string, number> = {};
    for (const query of [
      "",
      "?limit=3",
      "?limit=200",
      "?limit=201",
      "?limit=99999999",
      "?limit=0",
      "?limit=-5",
      "?limit=ten",
    ]) {
      counts[query] = (await recent(query)).length;
    }
    expect(counts).toEqual({
      "": 10,
      "?limit=3": 3,
      "?limit=200": 200,
      "?limit=201": 200,
      "?limit=99999999": 200,
      "?limit=0": 10,
      "?limit=-5": 10,
      "?limit=ten": 10,
    });
  });

  it("counts blank lines and leaves them out", async () => {
    appendFileSync(logFile(), '{"n":"a"}\n\n\n{"n":"b"}\n');
    expect(await recent("?limit=4")).toEqual([{ n: "a" }, { n: "b" }]);
    expect(await recent("?limit=2")).toEqual([{ n: "b" }]);
  });
});

describe("A16: GET /api/logs/live", () => {
  it("sends a line that is appended within three seconds, plain text too", async () => {
    const tail = await talk(gateway(), "/api/logs/live");
    appendFileSync(logFile(), '{"level":"INFO","msg":"conformance","n":1}\n');
    const isMine = (text: string) => tail.waiting.find(({ entry }) => JSON.stringify(entry).includes(text));
    expect(await until(() => isMine("conformance"), 3000, "the line")).toEqual({
      ok: true,
      type: "log_entry",
      entry: { level: "INFO", msg: "conformance", n: 1 },
    });
    appendFileSync(logFile(), "half a li");
    appendFileSync(logFile(), "ne, then the rest\n");
    expect(await until(() => isMine("half"), 3000, "the plain line")).toMatchObject({
      ok: true,
      type: "log_entry",
      entry: { level: "INFO", msg: "half a line, then the rest" },
    });
  });

  it("says in a frame that the file cannot be opened, in the words of the API document, then ends", async () => {
    // Before its writer has begun with it, it would be made again.
    await until(() => statSync(logFile()).size > 0);
    rmSync(logFile());
    const tail = await talk(gateway(), "/api/logs/live");
    expect(await tail.frame()).toEqual({ ok: false, error: `open ${logFile()}: no such file or directory` });
    await tail.ended;
  });

  it("says in a frame that there is no file, then ends", async () => {
    await askAsOwner(gateway(), "/api/config", { body: { logging: { enabled: false } } });
    const tail = await talk(gateway(), "/api/logs/live");
    expect(await tail.frame()).toMatchObject({ ok: false, error: expect.any(String) as unknown });
    await tail.ended;
    expect(await askAsOwner(gateway(), "/api/logs/recent")).toMatchObject({
      status: 500,
      text: "log path not configured\n",
    });
  });
});
