/** `/steps`: a whole turn with tools, written down line by line. */
import type { Message, ToolCall } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { answer } from "../../../plugins/providers/offline/script.ts";

const tools = ["read_file", "edit_file", "exec"];

/** Plays a script to its end; `outputs` answer the calls in order. */
function play(script: string, outputs: string[], offered: readonly string[] = tools) {
  const messages: Message[] = [{ role: "user", content: script }];
  const calls: ToolCall[] = [];
  for (;;) {
    const line = answer(messages, offered);
    messages.push({ role: "assistant", content: line.text, ...(line.calls.length > 0 && { toolCalls: line.calls }) });
    if (line.calls.length === 0) return { text: line.text, calls, messages };
    calls.push(...line.calls);
    for (const { id } of line.calls) messages.push({ role: "tool", toolCallId: id, content: outputs.shift() ?? "" });
  }
}

describe("/steps", () => {
  it("reads, edits, runs and reports, with what came before filled in", () => {
    const script = [
      "/steps",
      "# a comment",
      'read_file {"path":"a.txt"}',
      'edit_file {"path":"a.txt","old":"{{1:2}}","new":"{{1:1}} and more"}',
      'exec {"command":"wc","args":["{{2.path}}"]}',
      "say Read «{{1}}», then {{2.result.lines}}; the command said {{last}}.",
    ].join("\n");
    const { text, calls } = play(script, ['one\ntwo "quoted"', '{"path":"a.txt","result":{"lines":2}}', "2 lines"]);
    expect(calls.map(({ name, arguments: args }) => [name, JSON.parse(args)])).toEqual([
      ["read_file", { path: "a.txt" }],
      ["edit_file", { path: "a.txt", old: 'two "quoted"', new: "one and more" }],
      ["exec", { command: "wc", args: ["a.txt"] }],
    ]);
    expect(text).toBe('Read «one\ntwo "quoted"», then 2; the command said 2 lines.');
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3);
  });

  it("puts calls with & into one round", () => {
    const { calls, messages } = play('/steps\nread_file {"n":1}\n& read_file {"n":2}\nexec\nsay ok', ["a", "b", "c"]);
    expect(calls.map(({ arguments: args }) => args)).toEqual(['{"n":1}', '{"n":2}', "{}"]);
    expect(messages.filter(({ role }) => role === "assistant").map(({ toolCalls }) => toolCalls?.length)).toEqual([
      2,
      1,
      undefined,
    ]);
  });

  it("goes on when somebody speaks in between, and can tell what", () => {
    const messages: Message[] = [
      { role: "user", content: "/steps\nread_file\nsay {{1}}; and you said: {{said}}" },
      { role: "assistant", content: "", toolCalls: [{ id: "1", name: "read_file", arguments: "{}" }] },
      { role: "tool", toolCallId: "1", content: "text" },
      { role: "user", content: "hurry up" },
    ];
    expect(answer(messages, tools).text).toBe("text; and you said: hurry up");
    expect(answer([...messages, { role: "user", content: "/echo no" }], tools).text).toBe("no");
  });

  it("is over with its answer", () => {
    const { messages } = play("/steps\nsay done", []);
    expect(answer([...messages, { role: "user", content: "/echo next" }], tools).text).toBe("next");
  });

  it("says so when a tool is not offered, and answers when none is any more", () => {
    expect(play("/steps\nrm_rf", []).text).toMatch(/"rm_rf" is not offered here/);
    expect(play("/steps\nexec\nexec\nsay {{last}}", ["out"], []).text).toBe("");
  });

  it("leaves out what is not there", () => {
    expect(play("/steps\nread_file\nsay [{{9}}|{{1:99}}|{{1.a.b}}|{{1.constructor}}|{{x}}]", ["plain"]).text).toBe(
      "[||||{{x}}]",
    );
  });
});

describe("/loop", () => {
  it("calls for ever, until no tool is offered", () => {
    const asked: Message[] = [{ role: "user", content: "/loop exec {}" }];
    expect(answer(asked, tools).calls).toMatchObject([{ name: "exec", arguments: "{}" }]);
    const later: Message[] = [
      ...asked,
      { role: "assistant", content: "", toolCalls: [{ id: "1", name: "exec", arguments: "{}" }] },
      { role: "tool", toolCallId: "1", content: "x" },
    ];
    expect(answer(later, tools).calls).toHaveLength(1);
    expect(answer(later, [])).toMatchObject({ calls: [], text: "The tool exec answered: x" });
  });
});

describe("a request for a summary", () => {
  it("gets what people said, a line each, with what was summed up before", () => {
    const text =
      "# Conversation to sum up\n\n## Summary so far\n\n## Key Facts\n\n- said: old\n\n## Conversation\n\nuser: new thing\nassistant: yes";
    const line = answer(
      [
        { role: "system", content: "You sum up" },
        { role: "user", content: text },
      ],
      [],
    );
    expect(line.text).toBe(
      "## Key Facts\n\n- said: old\n- said: new thing\n\n## Decisions\n\n## Open Items\n\n## Next Steps",
    );
  });
});
