/** Programs and permissions belong to a session: with it they go, and under its new name they are found. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Context, definePlugin } from "@chela/sdk";
import { expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { attending, live, next, start } from "./asking.ts";
import { bench } from "./kit.ts";

/** Tells what the plugin chat tells. */
function teller() {
  let emit: Context["emit"] | undefined;
  const plugin = definePlugin({
    id: "teller",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      emit = ctx.emit;
    },
  });
  return { plugin, tell: (payload: Record<string, unknown>) => emit?.("session_changed", payload) };
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it("a session that is deleted takes its programs along, and what they said", async () => {
  const { plugin, tell } = teller();
  await using one = await bench({ plugins: [plugin] });
  const work = { session: "work" };
  await one.ok("process", { action: "start", command: "echo secret; echo $$ > pid; sleep 300" }, work);
  await one.ok("process", { action: "start", command: "echo ended" }, work);
  await one.ok("process", { action: "start", command: "sleep 300" });
  await until(() => existsSync(join(one.root, "pid")) && readFileSync(join(one.root, "pid"), "utf8") !== "");
  tell({ session: "work", deleted: true });
  await until(() => !alive(Number(readFileSync(join(one.root, "pid"), "utf8"))));
  expect(await one.ok("process", { action: "list" }, work)).toBe("No processes in this session.");
  expect(await one.ok("process", { action: "list" })).toContain("p3  running");
});

it("a program that is just being started when its session is deleted does not stay", async () => {
  const { plugin, tell } = teller();
  await using one = await bench({ plugins: [plugin] });
  await one.ok("process", { action: "start", command: "true" });
  const command = { action: "start", command: "echo $$ >> pids; exec sleep 300" };
  const starts = Array.from({ length: 8 }, () => one.run("process", command, { session: "work" }));
  let starting = true;
  const all = Promise.all(starts).finally(() => {
    starting = false;
  });
  while (starting) {
    tell({ session: "work", deleted: true });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
  tell({ session: "work", deleted: true });
  const pids = () => (existsSync(join(one.root, "pids")) ? readFileSync(join(one.root, "pids"), "utf8") : "");
  await until(() =>
    pids()
      .split("\n")
      .filter(Boolean)
      .every((pid) => !alive(Number(pid))),
  );
  expect(await one.ok("process", { action: "list" }, { session: "work" })).toBe("No processes in this session.");
});

it("a session that is renamed keeps its programs", async () => {
  const { plugin, tell } = teller();
  await using one = await bench({ plugins: [plugin] });
  await one.ok("process", { action: "start", command: "echo ready; sleep 300" }, { session: "old" });
  tell({ session: "new", renamed_from: "old" });
  await until(async () => (await one.ok("process", { action: "list" }, { session: "new" })).includes("p1  running"));
  expect(await one.ok("process", { action: "list" }, { session: "old" })).toBe("No processes in this session.");
});

it("what was always allowed in a session is asked again in another one of its name", async () => {
  const { plugin, tell } = teller();
  const one = await start({ plugins: [plugin] });
  const socket = await live(one);
  await attending(one, 1);
  const ask = async () => {
    const running = one.run("exec", { command: "echo hi" }, { session: "work" });
    const { id, hash } = await next(socket);
    socket.send({ id, hash, decision: "always" });
    expect((await running).ok).toBe(true);
    await next(socket);
  };
  await ask();
  expect((await one.run("exec", { command: "echo hi" }, { session: "work" })).ok).toBe(true);
  tell({ session: "work", deleted: true });
  await ask();
  tell({ session: "elsewhere", renamed_from: "work" });
  await ask();
});

it("of very many sessions whose programs ended only some are remembered", async () => {
  await using one = await bench();
  const sessions = Array.from({ length: 90 }, (_, at) => ({ session: `s${at}` }));
  for (const session of sessions) await one.ok("process", { action: "start", command: "true", args: [] }, session);
  const lists = await Promise.all(sessions.map((session) => one.ok("process", { action: "list" }, session)));
  expect(lists.filter((list) => list.includes("ended")).length).toBe(64);
  expect(lists.at(-1)).toContain("ended with code 0");
}, 60_000);
