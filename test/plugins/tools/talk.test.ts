/** Tools about memory, conversations, agents, time and the machine. */
import {
  agent as agentService,
  type Cron,
  type CronJob,
  cron as cronService,
  definePlugin,
  GatewayError,
  type Plugin,
  sessions as sessionsService,
} from "@chela/sdk";
import { describe, expect, it } from "vitest";
import chat from "../../../plugins/chat/index.ts";
import providers from "../../../plugins/providers/index.ts";
import { momentOf } from "../../../plugins/tools/time/moment.ts";
import { until } from "../../kit/until.ts";
import { bench, writer } from "./kit.ts";

const env = { CHELA_DISCOVERY: "off" };
const talking = { env, plugins: [providers, chat] };

describe("memory", () => {
  it("T9 each agent has a memory of its own, to write and to search", async () => {
    await using one = await bench();
    const coder = { agent: "coder" };
    expect(await one.ok("memory_write", { content: "the key is under the mat" })).toBe(
      "Remembered in memory/today.md.",
    );
    await one.ok("memory_write", { content: "the mat is blue", path: "facts.md" }, coder);
    expect(await one.ok("memory_search", { query: "mat" })).toBe("today.md:1: the key is under the mat");
    expect(await one.ok("memory_search", { query: "mat" }, coder)).toBe("facts.md:1: the mat is blue");
    expect(await one.ok("memory_get", {})).toContain("under the mat");
    expect(await one.ok("memory_get", {}, coder)).toBe("The memory is empty.");
    expect(await one.ok("memory_get", { path: "facts.md" }, coder)).toContain("blue");
    expect(await one.fails("memory_get", { path: "facts.md" })).toContain("there is no");
    expect(await one.fails("memory_write", { content: "x", path: "../out.md" })).toContain("outside");
    expect(await one.ok("memory_search", { query: "nothing like it" })).toBe("Nothing was found.");
  });
});

describe("conversations", () => {
  it("session_search finds what was said elsewhere, and not here", async () => {
    await using one = await bench(talking);
    const sessions = one.host.service(sessionsService);
    await sessions.append("work", [{ role: "user", content: "the deploy key is rotated on Mondays" }]);
    await sessions.append("main", [{ role: "user", content: "where is the deploy key" }]);
    const found = await one.ok("session_search", { query: "deploy key" }, { session: "main" });
    expect(found).toContain("work");
    expect(found).toContain("rotated on Mondays");
    expect(found).not.toContain("where is");
    expect(await one.ok("session_search", { query: "zebra" })).toBe("Nothing was found.");
  });

  it("sessions lists, reads, and sends: with the rights of who asked, never to itself", async () => {
    await using one = await bench(talking);
    const sent = { action: "send", session: "other", content: "/echo hello there", wait_sec: 20 };
    expect(await one.ok("sessions", sent, { identity: writer })).toBe("other answered:\nhello there");
    expect(await one.ok("sessions", { action: "history", session: "other" })).toContain("#2 assistant: hello there");
    expect(await one.ok("sessions", { action: "list" })).toMatch(/^other {2}/);
    expect(await one.fails("sessions", { ...sent, session: "main" })).toContain("the session of this very turn");
    expect(await one.fails("sessions", { action: "send", content: "x" })).toContain("needs the key");
    expect(await one.fails("sessions", { ...sent, content: " " })).toContain("empty");
    expect(await one.ok("sessions", { ...sent, content: "/slow 60000", wait_sec: 1 })).toContain("no reply within 1 s");
    expect(await one.ok("sessions", { ...sent, session: "third", wait_sec: 0 })).toContain("Sent to third");
    const sessions = one.host.service(sessionsService);
    await until(async () => (await sessions.history("third")).length === 2, 10_000);
    one.host.service(agentService).abort("other");
  });

  it("message says something at once and tells the event bus", async () => {
    await using one = await bench(talking);
    expect(await one.ok("message", { content: "half way" }, { session: "s" })).toBe("Said in s (message 1).");
    expect(await one.ok("message", { content: "over there", session: "t" }, { session: "s" })).toContain("Said in t");
    expect(await one.fails("message", { content: "x" }, { session: null })).toContain("has no session");
    const [said] = await one.host.service(sessionsService).history("s");
    expect(said).toMatchObject({ role: "assistant", content: "half way" });
  });

  it("spawn hands over a task and brings back the result; profiles are shown", async () => {
    await using one = await bench(talking);
    expect(await one.ok("spawn", { content: "/echo done" }, { session: "s" })).toBe("done");
    expect(await one.fails("spawn", { content: "/echo x", agent: "nobody" }, { session: "s" })).toContain("nobody");
    expect(await one.fails("spawn", { content: "/fail 500" }, { session: "s" })).not.toBe("");
    expect(await one.ok("subagent_profile")).toMatch(/^main {2}/);
    expect(await one.ok("subagent_profile", { action: "get", agent: "main" })).toContain('"id":"main"');
    expect(await one.fails("subagent_profile", { action: "get", agent: "x" })).toContain("there is no agent");
  });

  it("an aborted turn ends its subagent", async () => {
    await using one = await bench(talking);
    const stop = new AbortController();
    const running = one.run("spawn", { content: "/slow 60000" }, { session: "s", signal: stop.signal });
    const busy = async () =>
      (await one.host.service(sessionsService).list()).some(({ key }) => key.startsWith("subagent:"));
    await until(busy, 10_000);
    stop.abort();
    expect((await running).ok).toBe(false);
  });
});

describe("time", () => {
  it("remind and cron are there while a cron service is", async () => {
    const jobs = new Map<string, CronJob>();
    await using one = await bench({ plugins: [cronPlugin(jobs)] });
    const turn = { session: "s", channel: "web", identity: writer };
    expect(await one.ok("remind", { content: "water the plants", when: "1h30m" }, turn)).toMatch(
      /^Reminder 1 is set for /,
    );
    const at = jobs.get("1")?.schedule.atMs ?? 0;
    expect(at - Date.now()).toBeGreaterThan(5_390_000);
    expect(jobs.get("1")).toMatchObject({
      name: "remind: water the plants",
      deleteAfterRun: true,
      schedule: { kind: "at" },
      payload: { kind: "agent_turn", message: "water the plants", deliver: true, channel: "web", to: "s" },
    });
    expect(await one.ok("cron", { action: "list" })).toContain("1  on  ");
    await one.ok("cron", { action: "disable", id: "1" });
    expect(await one.ok("cron", { action: "list" })).toContain("1  off  ");
    await one.ok("cron", { action: "delete", id: "1" });
    expect(await one.ok("cron", { action: "list" })).toBe("There are no jobs.");
    expect(await one.fails("cron", { action: "delete", id: "1" })).toContain("there is no job");
    expect(await one.fails("cron", { action: "enable" })).toContain("needs the id");
    await one.host.plugins.disable("cron", "test");
    await until(() => !one.names().includes("remind"));
    expect(one.names()).not.toContain("cron");
  });

  it("reads spans and dates, and refuses what is past, far or no time", () => {
    const now = Date.parse("2026-11-21T12:00:00Z");
    expect(momentOf("10m", now)).toBe(now + 600_000);
    expect(momentOf("in 1h30m", now)).toBe(now + 5_400_000);
    expect(momentOf("1.5h", now)).toBe(now + 5_400_000);
    expect(momentOf("2026-11-21T13:00:00Z", now)).toBe(now + 3_600_000);
    expect(momentOf("2026-12-24 18:00", now)).toBe(new Date(2026, 11, 24, 18).getTime());
    for (const bad of ["", "soon", "0s", "2020-01-01", "9999999w", "-5m", "1e9h"])
      expect(() => momentOf(bad, now), bad).toThrow(GatewayError);
  });
});

describe("system_info", () => {
  it("tells facts and no secret", async () => {
    await using one = await bench();
    const info = await one.ok("system_info");
    expect(JSON.parse(info)).toMatchObject({ node: process.version, workspace: one.root });
    expect(info).not.toContain(one.host.token);
    expect(info).not.toContain(one.host.stateDir);
  });
});

function cronPlugin(jobs: Map<string, CronJob>): Plugin {
  const service: Cron = {
    list: async () => [...jobs.values()],
    get: async (id) => jobs.get(id),
    create: async (job) => {
      const id = String(jobs.size + 1);
      const made: CronJob = {
        id,
        enabled: true,
        deleteAfterRun: false,
        state: {},
        createdAtMs: 0,
        updatedAtMs: 0,
        ...job,
      };
      jobs.set(id, made);
      return made;
    },
    remove: async (id) => jobs.delete(id),
    enable: async (id, enabled) => {
      const job = jobs.get(id);
      if (job) jobs.set(id, { ...job, enabled });
      return job !== undefined;
    },
  };
  return definePlugin({
    id: "cron",
    version: "1.0.0",
    host: "^1.0.0",
    provides: [cronService],
    setup: (ctx) => ctx.provide(cronService, service),
  });
}
