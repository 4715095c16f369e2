import { definePlugin, store, type TurnRecord } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { callsTools, chatHost, identity, lastText, reply, says, toolCall } from "./kit.ts";

describe("tools", () => {
  it("run, and the model sees their results", async () => {
    const { run, model, history } = await chatHost();
    const replies = [callsTools([toolCall("1", "look", { n: 7 })], "let me see"), says("it is 7")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    expect(await run({ text: "look" }).done).toMatchObject({ text: "it is 7" });
    expect(model.requests[0]?.tools?.map(({ name }) => name)).toEqual(["look", "never", "write"]);
    expect(model.requests[1]?.messages.slice(1)).toEqual([
      { role: "user", content: "look" },
      { role: "assistant", content: "let me see", toolCalls: [toolCall("1", "look", { n: 7 })] },
      { role: "tool", content: "look 7 done", toolCallId: "1" },
    ]);
    expect(await history()).toEqual(["user: look", "assistant: let me see", "tool: look 7 done", "assistant: it is 7"]);
  });

  it("run side by side only when none of them can change anything", async () => {
    const { run, model, tools } = await chatHost();
    const rounds = [
      [toolCall("1", "look", { n: 1 }), toolCall("2", "look", { n: 2 })],
      [toolCall("3", "look", { n: 3 }), toolCall("4", "write", { n: 4 })],
    ];
    const replies = [...rounds.map((calls) => callsTools(calls)), says("done")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    await run({}).done;
    expect(tools.log).toEqual(["+look1", "+look2", "-look1", "-look2", "+look3", "-look3", "+write4", "-write4"]);
    expect(
      model.requests[2]?.messages.filter(({ role }) => role === "tool").map(({ toolCallId }) => toolCallId),
    ).toEqual(["1", "2", "3", "4"]);
  });

  it("run side by side in bounded numbers, those that were declared safe too, and everything else in order", async () => {
    const { run, model, tools } = await chatHost({
      config: {
        agents: { defaults: { execution: { tool_parallel_safe_names: ["write"], tool_max_parallel_calls: 2 } } },
      },
    });
    const calls = [1, 2, 3].map((n) => toolCall(`l${n}`, "look", { n }));
    const replies = [callsTools([...calls, toolCall("w", "write", { n: 4 })]), says("done")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    await run({}).done;
    expect(tools.log).toEqual(["+look1", "+look2", "-look1", "-look2", "+look3", "+write4", "-look3", "-write4"]);
  });

  it("of an agent are those of its allowlist, groups included; others are denied", async () => {
    const entries = { careful: { tools: { allowlist: ["look", "group:files_read"] } } };
    const { run, model, tools } = await chatHost({ config: { agents: { entries } } });
    const replies = [callsTools([toolCall("1", "look"), toolCall("2", "write")]), says("done")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    await run({ agent: "careful" }).done;
    expect(model.requests[0]?.tools?.map(({ name }) => name)).toEqual(["look"]);
    expect(tools.log).toEqual(["+look0", "-look0"]);
    expect(lastText(model.requests[1] as never)).toBe("denied: write is not in the allowlist of this agent");
    await run({ agent: "careful", tools: [] }).done.catch(() => undefined);
    expect(model.requests[2]?.tools).toBeUndefined();
  });

  it("give the model its own parts of a reply back within the turn, and leave them out of the history", async () => {
    const { run, model, sessions } = await chatHost();
    const native = { wire: "anthropic", parts: [{ type: "thinking", signature: "abc" }] };
    model.answer = async function* () {
      if (model.requests.length > 1) return yield* says("done");
      const toolCalls = [toolCall("1", "look")];
      yield { type: "done", reply: { ...reply(""), toolCalls, stop: "tool_calls", native } };
    };
    await run({}).done;
    expect(model.requests[1]?.messages.find(({ role }) => role === "assistant")).toMatchObject({ native });
    expect(JSON.stringify(await sessions.history("main"))).not.toContain("signature");
  });

  it("that do not exist or are called wrongly are answered, not fatal", async () => {
    const { run, model } = await chatHost();
    const calls = [toolCall("1", "nope"), toolCall("2", "look", { n: "x" }), { id: "3", name: "look", arguments: "{" }];
    const replies = [callsTools(calls), says("sorry")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    expect(await run({}).done).toMatchObject({ text: "sorry" });
    const answers = model.requests[1]?.messages.filter(({ role }) => role === "tool").map(({ content }) => content);
    expect(answers).toEqual([
      expect.stringContaining("no tool"),
      expect.stringContaining("n must be integer"),
      expect.stringContaining("json"),
    ]);
  });

  it("are forced on the first model call of a turn only, else it would never end", async () => {
    const { run, model } = await chatHost();
    const replies = [callsTools([toolCall("1", "look", { n: 1 })]), says("done")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    expect(await run({ options: { toolChoice: "required" } }).done).toMatchObject({ text: "done" });
    expect(model.requests.map(({ toolChoice }) => toolChoice)).toEqual(["required", undefined]);
  });

  it("end after as many rounds as allowed and one call without tools, in which the model could still have answered", async () => {
    const records: TurnRecord[] = [];
    const watcher = definePlugin({
      id: "watcher",
      version: "1.0.0",
      host: "^1.0.0",
      setup: (ctx) => ctx.on("turn:done", async (record) => void records.push(record)),
    });
    const config = { agents: { defaults: { max_tool_iterations: 3 } } };
    const { run, model, history } = await chatHost({ config, plugins: [watcher] });
    let n = 0;
    model.answer = () => callsTools([toolCall(`c${n++}`, "look", { n })]);
    await expect(run({ text: "x" }).done).rejects.toMatchObject({
      code: "TOOL_LIMIT",
      status: 500,
      message: "max tool iterations exceeded (3)",
    });
    expect(model.requests.map(({ toolChoice }) => toolChoice)).toEqual([undefined, undefined, undefined, "none"]);
    expect(await history()).toHaveLength(1 + 3 * 2);
    // What it cost is told all the same: four calls of fifteen tokens.
    expect(records).toMatchObject([{ stop: "error", usage: { inputTokens: 40, outputTokens: 20 } }]);
  });

  it("give way to an answer when the rounds are used up: the model is told", async () => {
    const { run, model } = await chatHost({ config: { agents: { defaults: { max_tool_iterations: 2 } } } });
    let n = 0;
    model.answer = (request) =>
      request.toolChoice === "none" ? says("what I have") : callsTools([toolCall(`c${n++}`, "look", { n })]);
    expect(await run({ text: "x" }).done).toMatchObject({ text: "what I have", stop: "stop" });
    expect(model.requests).toHaveLength(3);
    expect(lastText(model.requests[2] as never)).toMatch(/^look 2 done\n\n\[gateway: the limit of 2 rounds/);
  });

  it("are bounded within one reply", async () => {
    const { run, model, tools } = await chatHost();
    const calls = Array.from({ length: 70 }, (_, n) => toolCall(`c${n}`, "look", { n }));
    const replies = [callsTools(calls), says("done")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    await run({}).done;
    expect(tools.log.filter((line) => line.startsWith("+"))).toHaveLength(64);
    expect(model.requests[1]?.messages.filter(({ role }) => role === "tool")).toHaveLength(70);
  });

  it("beyond that bound leave no record of their own", async () => {
    const { host, run, model } = await chatHost();
    const database = host.service(store);
    await database.run("CREATE TABLE tally (n INTEGER)");
    await database.run("CREATE TRIGGER tally AFTER UPDATE ON chat_partials BEGIN INSERT INTO tally VALUES (1); END");
    const calls = Array.from({ length: 500 }, (_, n) => toolCall(`c${n}`, "write", { n }));
    const replies = [callsTools(calls), says("done")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    await run({}).done;
    // The first of 64 made the row.
    expect(await database.get("SELECT count(*) AS n FROM tally")).toEqual({ n: 63 });
  });

  it("that the identity may not use are not offered, and refused", async () => {
    const { run, model } = await chatHost();
    const replies = [callsTools([toolCall("1", "write", { n: 1 })]), says("no")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    await run({ identity: { ...identity, scopes: ["read"] } }).done;
    expect(model.requests[0]?.tools?.map(({ name }) => name)).toEqual(["look", "never"]);
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({
      role: "tool",
      content: expect.not.stringContaining("done"),
    });
  });

  it("of the client end the turn and are handed back", async () => {
    const { run, model, tools } = await chatHost();
    const theirs = toolCall("1", "theirs", { a: 1 });
    model.answer = () => callsTools([theirs, toolCall("2", "look")], "one moment");
    const clientTools = [
      { name: "theirs", about: "", input: {} },
      { name: "look", about: "hides ours", input: { mine: true } },
    ];
    const result = await run({ session: null, clientTools: clientTools.slice(0, 1) }).done;
    expect(result).toMatchObject({ text: "one moment", stop: "tool_calls", toolCalls: [theirs] });
    expect(tools.log).toEqual([]);
    await run({ session: null, clientTools }).done;
    expect(model.requests[1]?.tools?.filter(({ name }) => name === "look")).toEqual([clientTools[1]]);
  });
});
