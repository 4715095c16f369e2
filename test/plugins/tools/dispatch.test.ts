/** Every way to a tool passes `tool:before` and `tool:done` exactly once, and leaves one row in the audit. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { approvals } from "@chela/sdk";
import type { TestSocket } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import chat from "../../../plugins/chat/index.ts";
import openai from "../../../plugins/openai/index.ts";
import providers from "../../../plugins/providers/index.ts";
import { until } from "../../kit/until.ts";
import { admin, type Bench, type BenchOptions, bench, reader } from "./kit.ts";

const env = { CHELA_DISCOVERY: "off" };

async function start(options: BenchOptions = {}): Promise<Bench> {
  const one = await bench({ env, plugins: [providers, chat], ...options });
  onTestFinished(() => one[Symbol.asyncDispose]());
  return one;
}

/** Says something over `/api/chat/live` and returns the whole reply. */
async function say(one: Bench, session: string, message: string): Promise<string> {
  const socket = await one.host.connect("/api/chat/live");
  socket.send({ session, message });
  let reply = "";
  for (;;) {
    const frame = (await socket.next(20_000)) as { type: string; delta?: string; reply?: string; error?: string };
    if (frame.type === "chat_chunk") reply += frame.delta;
    if (frame.type === "chat_error") throw new Error(frame.error);
    if (frame.type === "chat_done") return frame.reply ?? reply;
  }
}

const rows = async (one: Bench) =>
  ((await one.host.request("/api/tools/audit")).json() as { calls: Record<string, unknown>[] }).calls;

/** Each call that was made was seen once at the beginning and once at the end. */
function counted(one: Bench, tools: readonly string[]): void {
  expect(one.done.map(({ tool }) => tool).sort()).toEqual([...tools].sort());
  const ids = one.done.map(({ id, turn }) => `${turn.id} ${id}`);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...one.before].sort()).toEqual(one.done.map(({ id }) => id).sort());
}

async function answerAll(one: Bench, decision: string): Promise<TestSocket> {
  const socket = await one.host.connect("/api/approvals/live");
  void (async () => {
    for (;;) {
      const frame = (await socket.next(60_000).catch(() => undefined)) as
        | { type: string; id: string; hash: string }
        | undefined;
      if (!frame) return;
      if (frame.type === "approval_requested") socket.send({ id: frame.id, hash: frame.hash, decision });
    }
  })();
  await until(
    async () => ((await one.host.request("/api/approvals")).json() as { attending: number }).attending > 0,
    20_000,
  );
  return socket;
}

describe("on the offline model", () => {
  it("a talk reads a file, edits it, runs a command after approval, and is told what came of it", async () => {
    const one = await start({ tools: {} });
    appendFileSync(join(one.root, "notes.txt"), "hello world\n");
    expect(await say(one, "s", '/tool read_file {"path":"notes.txt"}')).toContain("hello world");
    expect(await say(one, "s", '/tool edit_file {"path":"notes.txt","old_text":"world","new_text":"there"}')).toContain(
      "1 place",
    );
    const command = `/tool exec ${JSON.stringify({ command: "cat notes.txt; touch ran" })}`;
    expect(await say(one, "s", command)).toContain("nobody is there to ask");
    expect(existsSync(join(one.root, "ran"))).toBe(false);
    const no = await answerAll(one, "deny");
    expect(await say(one, "s", command)).toContain("a person said no");
    no.close();
    await no.closed;
    await until(
      async () => ((await one.host.request("/api/approvals")).json() as { attending: number }).attending === 0,
      20_000,
    );
    await answerAll(one, "allow");
    expect(await say(one, "s", command)).toContain("hello there");
    expect(existsSync(join(one.root, "ran"))).toBe(true);
    expect(readFileSync(join(one.root, "notes.txt"), "utf8")).toBe("hello there\n");
    counted(one, ["read_file", "edit_file", "exec", "exec", "exec"]);
    const kept = await rows(one);
    expect(kept.map(({ tool, outcome }) => `${tool} ${outcome}`)).toEqual([
      "exec ok",
      "exec denied",
      "exec denied",
      "edit_file ok",
      "read_file ok",
    ]);
    expect(kept[0]).toMatchObject({ identity: "token", session: "s", agent: "main", origin: "agent", risk: "exec" });
  });

  it("the same through /v1/chat/completions", async () => {
    const one = await start({ tools: {}, plugins: [providers, chat, openai] });
    appendFileSync(join(one.root, "notes.txt"), "hello\n");
    const complete = async (content: string) => {
      const body = { model: "chela", messages: [{ role: "user", content }] };
      const reply = await one.host.request("/v1/chat/completions", { method: "POST", body });
      return (reply.json() as { choices: { message: { content: string } }[] }).choices[0]?.message.content;
    };
    expect(await complete('/tool edit_file {"path":"notes.txt","old_text":"hello","new_text":"bye"}')).toContain(
      "1 place",
    );
    const command = '/tool exec {"command":"cat notes.txt"}';
    expect(await complete(command)).toContain("nobody is there to ask");
    await answerAll(one, "allow");
    expect(await complete(command)).toContain("bye");
    counted(one, ["edit_file", "exec", "exec"]);
  });

  it("a subagent's calls are asked about where its parent is, and each is recorded once", async () => {
    const one = await start({ tools: {} });
    const task = '/tool exec {"command":"echo from the child"}';
    const socket = await one.host.connect("/api/approvals/live?session=parent");
    const running = say(one, "parent", `/tool spawn ${JSON.stringify({ content: task })}`);
    const asked = (await socket.next(20_000)) as Record<string, string>;
    expect(asked).toMatchObject({
      type: "approval_requested",
      tool: "exec",
      root: "parent",
      session: expect.stringMatching(/^subagent:/),
    });
    socket.send({ id: asked.id, hash: asked.hash, decision: "allow" });
    expect(await running).toContain("from the child");
    counted(one, ["spawn", "exec"]);
    const kept = await rows(one);
    expect(kept.map(({ tool }) => tool).sort()).toEqual(["exec", "spawn"]);
  });
});

describe("the other ways", () => {
  it("parallel: each inner call is approved and recorded by itself, and cannot nest", async () => {
    const one = await start({ tools: { approvals: { write: "deny" } } });
    appendFileSync(join(one.root, "a.txt"), "A");
    const calls = [
      { tool: "read_file", args: { path: "a.txt" } },
      { tool: "write_file", args: { path: "b.txt", content: "B" } },
      { tool: "exec", args: { command: "id" } },
      { tool: "parallel", args: { calls: [] } },
      { tool: "nothing", args: {} },
      { tool: "read_file", args: {} },
    ];
    const output = await one.ok("parallel", { calls });
    expect(output).toContain("read_file: ok\nA");
    expect(output).toContain("write_file: failed");
    expect(output).toContain("tools.approvals.write");
    expect(output).toContain("exec: failed");
    expect(output).toContain("parallel: failed: it cannot run itself");
    expect(output).toContain('there is no tool "nothing"');
    const seen = one.done.map(({ tool, outcome }) => `${tool} ${outcome}`).sort();
    expect(seen).toEqual(["exec denied", "parallel ok", "read_file failed", "read_file ok", "write_file denied"]);
    // What is wrong with its input is refused before anybody is asked.
    expect(one.before).toHaveLength(4);
    expect(existsSync(join(one.root, "b.txt"))).toBe(false);
  });

  it("an allowlist holds for inner calls, too", async () => {
    const one = await start();
    const turn = { tools: ["parallel", "read_file"] };
    const calls = [{ tool: "write_file", args: { path: "x", content: "" } }, { tool: "system_info" }];
    const output = await one.ok("parallel", { calls }, turn);
    expect(output).toContain("may not use write_file");
    expect(output).toContain("may not use system_info");
    expect((await one.run("exec", { command: "id" }, turn)).code).toBe("TOOL_DENIED");
    expect(
      one.done
        .filter(({ outcome }) => outcome === "denied")
        .map(({ tool }) => tool)
        .sort(),
    ).toEqual(["exec", "system_info", "write_file"]);
  });

  it("tools.invoke: with the caller's own rights, an unknown tool is 404", async () => {
    const one = await start({ tools: {} });
    const invoke = (params: unknown, identity = admin) =>
      one.host.gateway.call("tools.invoke", params, { identity, id: "r1", signal: new AbortController().signal });
    expect(await invoke({ tool: "exec", args: { command: "echo direct" } })).toEqual({ ok: true, output: "direct" });
    expect(await invoke({ tool: "exec", args: { command: "id" } }, reader)).toMatchObject({
      ok: false,
      code: "FORBIDDEN",
    });
    await expect(invoke({ tool: "nothing" })).rejects.toMatchObject({ status: 404, code: "TOOL_UNKNOWN" });
    expect(one.done.map(({ tool, outcome, turn }) => [tool, outcome, turn.origin])).toEqual([
      ["exec", "ok", "direct"],
      ["exec", "denied", "direct"],
    ]);
    expect(await rows(one)).toHaveLength(2);
  });

  it("works without a workspace, a store, or a chat: what needs them is not there", async () => {
    const one = await start({ plugins: [], without: ["store", "workspace"], tools: {} });
    expect(one.names()).toEqual(["parallel", "parallel_fetch", "system_info", "web_fetch", "web_search"]);
    await one.ok("system_info");
    const reply = (await one.host.request("/api/tools/audit")).json();
    expect(reply).toEqual({ ok: true, kept: false, calls: [] });
    expect(one.host.logs().some(({ msg, tool }) => msg === "tool call" && tool === "system_info")).toBe(true);
  });

  it("on and off twenty times leaves nothing behind", async () => {
    const one = await start();
    const before = one.host.census();
    for (let i = 0; i < 20; i += 1) {
      await one.ok("process", { action: "start", command: "sleep", args: ["300"] });
      const leave = one.host.service(approvals).attend(admin);
      await one.host.plugins.disable("tools", "test");
      await one.host.plugins.enable("tools", "test");
      leave();
      expect(await one.ok("process", { action: "list" })).toBe("No processes in this session.");
    }
    expect(one.host.census()).toEqual(before);
    expect(one.host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
  });
});
