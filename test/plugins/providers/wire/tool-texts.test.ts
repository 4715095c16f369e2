/** The text of a tool is made once where the tool can never change, and is always that of the tool which is sent. */
import type { ToolSpec } from "@chela/sdk";
import { describe, expect, test } from "vitest";
import { toSpec } from "../../../../plugins/providers/settings.ts";
import { chatBody } from "../../../../plugins/providers/wire/chat/request.ts";
import { ToolTexts } from "../../../../plugins/providers/wire/chat/tool-texts.ts";

const spec = toSpec("sim", { api_base: "http://127.0.0.1:1/v1" }, "config");
const messages = [{ role: "user" as const, content: "你好 \ud83d 👋" }];
const tool = (about: string): ToolSpec => ({
  name: "look",
  about,
  input: { type: "object", properties: { n: { type: "integer", description: "数 \u2028 ünï 👩‍👩‍👧 \ud83d" } } },
});
const wired = ({ name, about, input }: ToolSpec) => ({
  type: "function",
  function: { name, description: about, parameters: input },
});
const body = (tools: readonly ToolSpec[], texts?: ToolTexts, more = {}) =>
  JSON.parse(chatBody({ model: "sim/m", messages, tools, ...more }, "m", spec, texts));

describe("tools in a body", () => {
  test("are the same as if nothing were kept, in any script", () => {
    const texts = new ToolTexts();
    const frozen = Object.freeze(tool("Schaut nach, 看 👀"));
    for (let round = 0; round < 3; round++) {
      const { tools, messages: told } = body([frozen, tool("again")], texts);
      expect(tools).toEqual([wired(frozen), wired(tool("again"))]);
      expect(told).toEqual(messages);
    }
    expect(chatBody({ model: "sim/m", messages: [], tools: [frozen] }, "m", spec, texts)).toMatch(/^[\x20-\x7e]+$/);
  });

  test("that may still change are written anew each time", () => {
    const texts = new ToolTexts();
    const changing = { ...tool("one") };
    expect(body([changing], texts).tools[0].function.description).toBe("one");
    changing.about = "two";
    expect(body([changing], texts).tools[0].function.description).toBe("two");
  });

  test("whose schema may still change, though they themselves cannot, are written anew, too", () => {
    const texts = new ToolTexts();
    const input = { type: "object", properties: { n: { type: "integer" } } };
    const half = Object.freeze({ name: "look", about: "looks", input: Object.freeze(input) });
    expect(body([half], texts).tools[0].function.parameters.properties.n.type).toBe("integer");
    input.properties.n.type = "string";
    expect(body([half], texts).tools[0].function.parameters.properties.n.type).toBe("string");
  });

  test("take the place of what a client's own fields call so; without any those go as they are", () => {
    const extra = { tools: ["theirs"], top_p: 0.5 };
    expect(body([tool("x")], undefined, { extra })).toMatchObject({ tools: [wired(tool("x"))], top_p: 0.5 });
    expect(body([], undefined, { extra })).toMatchObject({ tools: ["theirs"] });
  });
});
