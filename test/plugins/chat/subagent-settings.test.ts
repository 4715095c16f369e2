/** What the settings of a subagent do: retries, lengths, reports, peers, hand-overs, time, names and memory. */
import { agent, GatewayError, type ModelEvent, type ModelRequest, type Workspace } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { callsTools, chatHost, HeldAnswer, lastText, says, toolCall } from "./kit.ts";
import { isChild, spawner, system } from "./spawner.ts";

interface Settings {
  readonly coder?: Record<string, unknown>;
  readonly agents?: Record<string, unknown>;
}

async function team({ coder = {}, agents = {} }: Settings = {}) {
  const subagents = {
    coder: { enabled: true, role: "writes code", system_prompt_file: "agents/coder.md", ...coder },
  };
  const chat = await chatHost({ plugins: [spawner], config: { agents: { subagents, ...agents } } });
  const spawn = (task: string, more = {}) => toolCall(`s${task}`, "spawn", { task, agent: "coder", ...more });
  return { ...chat, spawn };
}

const failing = (code: string, status = 502) => {
  throw new GatewayError(code, status, `fake/model: ${code}`);
};

describe("runtime.max_retries and retry_backoff_ms", () => {
  it("repeat the call that failed, not what its tools did", async () => {
    const { run, model, tools } = await team({ coder: { runtime: { max_retries: 2, retry_backoff_ms: 1 } } });
    const child = [
      () => callsTools([toolCall("w1", "write", { n: 1 })]),
      () => failing("UPSTREAM_FAULT"),
      async function* (): AsyncIterable<ModelEvent> {
        yield { type: "text", text: "half of an" };
        failing("UPSTREAM_CUT");
      },
      () => says("done"),
    ];
    model.answer = () => (child.shift() as () => ReturnType<typeof says>)();
    expect(await run({ agent: "coder", session: "c" }).done).toMatchObject({ text: "done", stop: "stop" });
    expect(tools.log).toEqual(["+write1", "-write1"]);
    expect(model.requests).toHaveLength(4);
    expect(model.requests[3]?.messages).toEqual(model.requests[1]?.messages);
  });

  it.each([
    ["UPSTREAM_RATE", 2, 3],
    ["BUDGET_RESERVED", 2, 3],
    ["BUDGET_SPENT", 2, 1],
    ["UPSTREAM_TIMEOUT", 0, 1],
    ["UPSTREAM_AUTH", 2, 1],
    ["UPSTREAM_REQUEST", 2, 1],
  ])("%s with %d retries: %d calls", async (code, max_retries, calls) => {
    const { run, model, history } = await team({ coder: { runtime: { max_retries, retry_backoff_ms: 1 } } });
    model.answer = () => failing(code);
    await expect(run({ agent: "coder" }).done).rejects.toMatchObject({ code });
    expect(model.requests).toHaveLength(calls);
    expect(await history()).toEqual(["user: hi"]);
  });

  it("wait longer each time, and an abort ends the wait", async () => {
    const { run, model } = await team({ coder: { runtime: { max_retries: 5, retry_backoff_ms: 20 } } });
    const times: number[] = [];
    model.answer = () => {
      times.push(performance.now());
      return times.length < 4 ? failing("UPSTREAM_UNREACHABLE") : says("back");
    };
    await run({ agent: "coder" }).done;
    const [first = 0, second = 0, third = 0, fourth = 0] = times;
    // Timers may be a moment early.
    expect(second - first).toBeGreaterThan(18);
    expect(third - second).toBeGreaterThan(38);
    expect(fourth - third).toBeGreaterThan(78);
    const slow = await team({ coder: { runtime: { max_retries: 5 } } });
    slow.model.answer = () => failing("UPSTREAM_FAULT");
    const turn = slow.run({ agent: "coder" });
    await until(() => slow.model.requests.length === 1, 20_000);
    turn.abort("enough");
    expect(await turn.done).toMatchObject({ stop: "aborted" });
    expect(slow.model.requests).toHaveLength(1);
  });

  it("are not those of the main agent", async () => {
    const { run, model } = await team({ coder: { runtime: { max_retries: 5, retry_backoff_ms: 1 } } });
    model.answer = () => failing("UPSTREAM_FAULT");
    await expect(run({}).done).rejects.toMatchObject({ code: "UPSTREAM_FAULT" });
    expect(model.requests).toHaveLength(1);
  });
});

describe("runtime", () => {
  it("max_task_chars and max_result_chars leave out the middle; temperature is the subagent's own", async () => {
    const { run, model, spawn } = await team({
      coder: { runtime: { max_task_chars: 400, max_result_chars: 300, temperature: 0.9 } },
    });
    const long = (word: string) => `begin ${`${word} `.repeat(500)}end`;
    model.answer = (request) => {
      if (isChild(request)) return says(long("result"));
      return request.messages.at(-1)?.role === "tool" ? says("ok") : callsTools([spawn(long("task"))]);
    };
    await run({}).done;
    const [, child, parent] = model.requests as [ModelRequest, ModelRequest, ModelRequest];
    expect(lastText(child).length).toBeLessThanOrEqual(400);
    expect(lastText(child)).toMatch(/^begin task.* end$/s);
    expect(lastText(parent).length).toBeLessThanOrEqual(300);
    expect(lastText(parent)).toMatch(/^begin result.* end$/s);
    expect([child.temperature, parent.temperature]).toEqual([0.9, undefined]);
  });

  it("subagents.max_tokens bounds the child alone", async () => {
    // Each call takes 15 tokens.
    const { run, model, spawn } = await team({ agents: { defaults: { subagents: { max_tokens: 20 } } } });
    let n = 0;
    model.answer = (request) => {
      if (request.toolChoice === "none") return says("so far");
      if (isChild(request)) return callsTools([toolCall(`c${n}`, "look", { n: n++ })]);
      return lastText(request) === "so far" ? says("all") : callsTools([spawn("job")]);
    };
    expect(await run({}).done).toMatchObject({ text: "all" });
    expect(model.requests.filter(isChild)).toHaveLength(2);
  });
});

describe("notify_main_policy", () => {
  it.each([
    ["final_only", true, true],
    ["milestone", true, true],
    ["always", true, true],
    ["on_blocked", false, true],
    ["internal_only", false, false],
  ])("%s: the parent hears of success: %s, of a failure: %s", async (policy, success, failure) => {
    for (const [fails, heard] of [
      [false, success],
      [true, failure],
    ] as const) {
      const { run, model, spawn, history, sessions } = await team({ coder: { notify_main_policy: policy } });
      model.answer = (request) => {
        if (isChild(request)) return fails ? failing("UPSTREAM_AUTH", 401) : says("fine");
        const last = lastText(request);
        return last === "hi" ? callsTools([spawn("job", { background: true })]) : says("ok");
      };
      const parent = run({});
      await parent.done;
      const child = `subagent:${parent.id}:1`;
      await until(async () => (await sessions.history(child)).length === (fails ? 1 : 2), 20_000);
      const report = fails ? /^user: .* stopped without success\]\n/ : /^user: .* has finished\]\nfine$/;
      if (heard) {
        await until(async () => (await history()).some((line) => report.test(line)), 20_000);
      } else {
        // Whatever was to be told would stand before this.
        await run({ text: "next" }).done;
        expect((await history()).slice(4)).toEqual(["user: next", "assistant: ok"]);
      }
    }
  });
});

describe("peers and hand-overs", () => {
  it("accept_from and can_talk_to say who hands work to whom", async () => {
    const { run, model, spawn } = await team({ coder: { accept_from: ["user"], can_talk_to: [] } });
    const answers: string[] = [];
    model.answer = (request) => {
      if (request.messages.at(-1)?.role !== "tool") return callsTools([spawn("job"), spawn("x", { agent: "main" })]);
      answers.push(...request.messages.slice(-2).map(({ content }) => String(content)));
      return says("ok");
    };
    await run({ session: "a" }).done;
    expect(answers[0]).toContain('"main" may not hand work to "coder"');
    await run({ session: "b", agent: "coder" }).done;
    expect(answers.at(-1)).toContain('"coder" may not hand work to "main"');
  });

  it("router.max_hops ends a chain of background work", async () => {
    const { run, model, spawn, history } = await team({ agents: { router: { max_hops: 2 } } });
    let n = 0;
    model.answer = (request) => {
      if (isChild(request)) return says(`result ${n}`);
      const last = lastText(request);
      if (last.startsWith("started")) return says("waiting");
      return last.includes("hand-overs followed")
        ? says("enough")
        : callsTools([spawn(`j${n++}`, { background: true })]);
    };
    await run({}).done;
    await until(async () => (await history()).at(-1) === "assistant: enough", 20_000);
    expect(model.requests.filter(isChild)).toHaveLength(2);
  });

  it("router.default_timeout_sec ends a subagent, and its parent hears that", async () => {
    const { run, model, spawn } = await team({ agents: { router: { enabled: true, default_timeout_sec: 1 } } });
    const held = new HeldAnswer();
    model.answer = (request, signal) => {
      if (isChild(request)) return held.answer(request, signal);
      return request.messages.at(-1)?.role === "tool" ? says(lastText(request)) : callsTools([spawn("job")]);
    };
    expect((await run({}).done).text).toContain("did not end within 1 s");
  });

  it("router.main_agent_id answers when nothing else decides", async () => {
    const { run, model } = await team({ agents: { router: { enabled: true, main_agent_id: "coder" } } });
    await run({}).done;
    expect(system(model.requests[0])).toContain('the subagent "coder"');
  });
});

describe("names and memory", () => {
  it.each([
    [{ display_name: "The Coder", description: "Writes what you ask for" }, "Writes what you ask for"],
    [{ display_name: "The Coder" }, "The Coder"],
    [{}, "writes code"],
  ])("%j is shown as %s", async (coder, about) => {
    const { host } = await team({ coder });
    const agents = host.service(agent).agents();
    expect(agents.find(({ id }) => id === "coder")).toMatchObject({ about });
  });

  it.each([
    [{}, "coder"],
    [{ memory_namespace: "shared" }, "shared"],
  ])("%j reads the memory of %s", async (coder, namespace) => {
    const asked: (string | undefined)[] = [];
    const { PromptBook } = await import("../../../plugins/chat/agent/prompt/prompt.ts");
    const { agentProfile } = await import("../../../plugins/chat/agent/team/profiles.ts");
    const { AgentsConfig } = await import("../../../plugins/chat/settings.ts");
    const { Value } = await import("typebox/value");
    const settings = Value.Default(AgentsConfig, { subagents: { coder: { enabled: true, ...coder } } }) as never;
    const shared = {
      documents: async (agent?: string) => {
        asked.push(agent);
        return [];
      },
      recall: async (agent?: string) => {
        asked.push(agent);
        return [];
      },
    } as unknown as Workspace;
    const book = new PromptBook({
      workspace: () => shared,
      skills: () => undefined,
      timeZone: () => undefined,
      failed: () => {},
    });
    await book.text({ profile: agentProfile(settings, "coder"), kind: "subagent", depth: 1 });
    expect(asked).toEqual([namespace, namespace]);
  });
});
