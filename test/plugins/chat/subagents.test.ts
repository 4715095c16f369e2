/** Work handed on: profiles, limits, results, aborts, and what may not grow on the way. */
import { agent, type ModelRequest, type Turn } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, identity, lastText, loops, says, toolCall } from "./kit.ts";
import { isChild, spawner, system } from "./spawner.ts";

const subagents = {
  coder: {
    enabled: true,
    role: "writes code",
    system_prompt_file: "agents/coder/AGENT.md",
    tools: { allowlist: ["look", "spawn"] },
    runtime: { provider: "fake/coder" },
  },
  idle: { enabled: false },
};

async function family(defaults: Record<string, unknown> = {}) {
  const chat = await chatHost({ plugins: [spawner], config: { agents: { defaults, subagents } } });
  const spawn = (task: string, more = {}) => toolCall(`s${task}`, "spawn", { task, ...more });
  return { ...chat, spawn };
}

describe("a subagent", () => {
  it("has its own prompt, model, tools and session; its answer is the result of the tool", async () => {
    const { run, model, spawn, history, sessions } = await family();
    model.answer = (request) => {
      if (isChild(request)) return says(`child did ${lastText(request)}`);
      return lastText(request).startsWith("child")
        ? says(`parent: ${lastText(request)}`)
        : callsTools([spawn("job", { agent: "coder" })]);
    };
    const parent = run({ text: "go" });
    expect(await parent.done).toMatchObject({ text: "parent: child did job" });
    const child = model.requests[1] as ModelRequest;
    expect(child.model).toBe("fake/coder");
    expect(child.tools?.map(({ name }) => name)).toEqual(["look", "spawn"]);
    expect(system(child)).toContain('the subagent "coder" with the role writes code');
    expect(await history(`subagent:${parent.id}:1`)).toEqual(["user: job", "assistant: child did job"]);
    expect((await sessions.list()).map(({ kind }) => kind).sort()).toEqual(["other", "subagent"]);
    expect(model.callers[1]).toMatchObject({ agent: "coder", session: `subagent:${parent.id}:1` });
  });

  it("may not do what its parent may not, whatever its profile says", async () => {
    const { run, model, spawn, tools } = await family();
    const calls = [[spawn("job", { agent: "main" })], [toolCall("w", "write")]];
    model.answer = () => {
      const next = calls.shift();
      return next ? callsTools(next) : says("done");
    };
    await run({ tools: ["look", "spawn"] }).done;
    expect(model.requests[1]?.tools?.map(({ name }) => name)).toEqual(["look", "spawn"]);
    expect(lastText(model.requests[2] as ModelRequest)).toMatch(/^denied: write is not in the allowlist/);
    expect(tools.log).toEqual([]);
  });

  it("is refused below the depth that is allowed, beyond the number at work, and when it does not exist", async () => {
    const { run, model, spawn } = await family({
      subagents: { max_depth: 1, max_children: 2 },
      execution: { tool_max_parallel_calls: 8 },
    });
    const answers: string[] = [];
    model.answer = (request) => {
      const last = lastText(request);
      if (request.messages.at(-1)?.role === "tool") {
        answers.push(...request.messages.filter(({ role }) => role === "tool").map(({ content }) => String(content)));
        return says("done");
      }
      if (isChild(request)) return callsTools([spawn("deeper")]);
      return last === "unknown"
        ? callsTools([spawn("x", { agent: "idle" })])
        : callsTools([spawn("a"), spawn("b"), spawn("c")]);
    };
    await run({ text: "go" }).done;
    expect(answers.filter((text) => text.includes("1 deep may not hand work on"))).toHaveLength(2);
    expect(answers.filter((text) => text.includes("2 subagents are at work already"))).toHaveLength(1);
    await run({ text: "unknown", session: "two" }).done;
    expect(answers.at(-1)).toContain('there is no agent "idle"; the agents are: main, coder');
  });

  it("counts like a message to another session: both are bounded together", async () => {
    const { host, run, model } = await family({ subagents: { max_children: 2 } });
    const held = new HeldAnswer();
    model.answer = held.answer;
    const parent: Turn = { id: "p", session: "main", agent: "main", identity, signal: new AbortController().signal };
    const sent = ["a", "b"].map((session) => run({ session, parent }));
    await until(() => model.requests.length === 2);
    await expect(run({ session: "c", parent }).done).rejects.toMatchObject({ code: "SPAWN_LIMIT", status: 429 });
    expect(() => host.service(agent).spawn({ parent, text: "job" })).toThrow("2 subagents are at work already");
    for (const { abort } of sent) abort("enough");
    await Promise.all(sent.map(({ done }) => done));
    model.answer = () => says("ok");
    expect(await run({ session: "c", parent }).done).toMatchObject({ text: "ok" });
  });

  it("ends with its parent", async () => {
    const { run, model, spawn, history } = await family();
    const held = new HeldAnswer();
    model.answer = (request, signal) => (isChild(request) ? held.answer(request, signal) : callsTools([spawn("job")]));
    const parent = run({ text: "go" });
    held.say("half a ");
    await until(() => held.asked);
    parent.abort("enough");
    expect(await parent.done).toMatchObject({ stop: "aborted" });
    await until(() => held.aborted);
    await until(async () => (await history(`subagent:${parent.id}:1`)).length === 2);
    expect(await history(`subagent:${parent.id}:1`)).toEqual(["user: job", "assistant: half a  (partial)"]);
  });

  it("does not wait for a place that its parent holds", async () => {
    const { run, model, spawn } = await family({ max_parallel_turns: 1 });
    model.answer = (request) =>
      isChild(request) ? says("child") : lastText(request) === "child" ? says("done") : callsTools([spawn("job")]);
    expect(await run({ text: "go" }).done).toMatchObject({ text: "done" });
  });

  it("in the background reports into its parent's session, as something that was said", async () => {
    const { run, model, spawn, history } = await family();
    const held = new HeldAnswer();
    model.answer = (request, signal) => {
      if (isChild(request)) return held.answer(request, signal);
      const last = lastText(request);
      if (last.startsWith("[The subagent")) return says("thanks");
      return last.startsWith("started")
        ? says("it works on it")
        : callsTools([spawn("job", { agent: "coder", background: true })]);
    };
    const parent = run({ text: "go" });
    expect(await parent.done).toMatchObject({ text: "it works on it" });
    held.say("all tests pass");
    held.end();
    const report = `user: [The subagent coder (session subagent:${parent.id}:1) has finished]\nall tests pass`;
    await until(async () => (await history()).length === 6);
    expect((await history()).slice(4)).toEqual([report, "assistant: thanks"]);
    expect(system(model.requests.at(-1))).not.toContain("You are a subagent");
  });
});

describe("the session that a subagent in the background reports to", () => {
  it.each([
    ["renamed", "new", ["user: go", "assistant: it works on it", "user: [The subagent main", "assistant: thanks"]],
    ["removed", undefined, []],
  ] as const)("may be %s meanwhile", async (_, to, lines) => {
    const { run, model, spawn, history, sessions } = await family();
    const held = new HeldAnswer();
    model.answer = (request, signal) => {
      if (isChild(request)) return held.answer(request, signal);
      if (lastText(request).startsWith("[The subagent")) return says("thanks");
      return lastText(request) === "go" ? callsTools([spawn("job", { background: true })]) : says("it works on it");
    };
    const parent = run({ text: "go", session: "old" });
    await parent.done;
    await until(() => held.asked);
    if (to === undefined) await sessions.remove("old");
    else await sessions.rename("old", to);
    held.say("done");
    held.end();
    const child = `subagent:${parent.id}:1`;
    await until(async () => (await history(child)).length === 2);
    const talk = async () => (await history(to)).filter((line) => !line.startsWith("tool") && line !== "assistant: ");
    if (to !== undefined) await until(async () => (await talk()).length === lines.length);
    else await loops(50);
    expect((await sessions.list()).map(({ key }) => key).sort()).toEqual(
      to === undefined ? [child] : [to, child].sort(),
    );
    if (to !== undefined) expect(await talk()).toEqual(lines.map((line) => expect.stringContaining(line)));
  });
});

describe("a budget of tokens", () => {
  it("asks for the answer before it is used up; the model is told", async () => {
    // Each call takes 15 tokens.
    const { run, model } = await family({ max_turn_tokens: 40 });
    let n = 0;
    model.answer = (request) =>
      request.toolChoice === "none" ? says("so far") : callsTools([toolCall(`c${n}`, "look", { n: n++ })]);
    expect(await run({}).done).toMatchObject({ text: "so far" });
    expect(model.requests).toHaveLength(3);
    expect(lastText(model.requests[2] as ModelRequest)).toContain("[gateway: the token budget of this turn");
  });

  it("ends the turn when even that asks for more", async () => {
    const { run, model } = await family({ max_turn_tokens: 40 });
    let n = 0;
    model.answer = () => callsTools([toolCall(`c${n}`, "look", { n: n++ })]);
    await expect(run({}).done).rejects.toMatchObject({ code: "TOKEN_LIMIT", message: "max turn tokens exceeded (40)" });
  });

  it("holds for the whole tree", async () => {
    const { run, model, spawn } = await family({ max_turn_tokens: 50 });
    let n = 0;
    model.answer = (request) => {
      if (request.toolChoice === "none") return says("enough");
      return isChild(request) ? callsTools([toolCall(`c${n}`, "look", { n: n++ })]) : callsTools([spawn("job")]);
    };
    expect(await run({}).done).toMatchObject({ text: "enough" });
    expect(model.requests.map(({ toolChoice }) => toolChoice)).toEqual([
      undefined,
      undefined,
      undefined,
      "none",
      "none",
    ]);
  });
});

describe("a loop", () => {
  it("is noticed: the same call failing the same way three times", async () => {
    const { run, model } = await family();
    let n = 0;
    model.answer = () => (n++ < 4 ? callsTools([toolCall(`c${n}`, "nothing", { same: true })]) : says("gave up"));
    await run({}).done;
    const results = model.requests
      .at(-1)
      ?.messages.filter(({ role }) => role === "tool")
      .map(({ content }) => String(content));
    expect(results?.map((text) => text.includes("[gateway: This same call has failed"))).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});
