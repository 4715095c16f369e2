import { describe, expect, it } from "vitest";
import { callsTools, chatHost, identity, says, toolCall } from "./kit.ts";

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

  it("end after as many model calls as allowed", async () => {
    const { run, model, history } = await chatHost({ config: { agents: { defaults: { max_tool_iterations: 3 } } } });
    let n = 0;
    model.answer = () => callsTools([toolCall(`c${n++}`, "look", { n })]);
    await expect(run({ text: "x" }).done).rejects.toMatchObject({
      code: "TOOL_LIMIT",
      status: 500,
      message: "max tool iterations exceeded (3)",
    });
    expect(model.requests).toHaveLength(3);
    expect(await history()).toHaveLength(1 + 3 * 2);
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
