/** What a model is told of tools is made once, and never of tools, rights or lists of yesterday. */
import { definePlugin, type Identity, type ToolInfo, Type } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { ToolSpecs } from "../../../plugins/chat/agent/tool-specs.ts";
import { chatHost, identity } from "./kit.ts";

const tool = (name: string, access: ToolInfo["access"] = "read"): ToolInfo => ({
  name,
  about: `${name}s`,
  owner: "test",
  access,
  risk: "read",
  input: { type: "object", properties: { n: { type: "integer" } } },
});
const reader: Identity = { id: "r", name: "r", kind: "key", scopes: ["read"] };
const names = (specs: readonly { readonly name: string }[]) => specs.map(({ name }) => name);

describe("specs", () => {
  it("are the same as long as tools, rights and the list of names are", () => {
    const specs = new ToolSpecs();
    const live = [tool("a"), tool("b", "admin")];
    expect(names(specs.of(live, identity, undefined))).toEqual(["a", "b"]);
    expect(specs.of(live, identity, undefined)).toBe(specs.of(live, { ...identity, id: "other" }, undefined));
    expect(names(specs.of(live, reader, undefined))).toEqual(["a"]);
    expect(names(specs.of(live, identity, ["b"]))).toEqual(["b"]);
    expect(names(specs.of(live, identity, []))).toEqual([]);
    expect(names(specs.of(live, reader, ["b"]))).toEqual([]);
    expect(names(specs.of([...live, tool("c")], identity, undefined))).toEqual(["a", "b", "c"]);
    expect(names(specs.of(live, identity, undefined))).toEqual(["a", "b"]);
  });

  it("of one list are never those of another that is written alike", () => {
    const specs = new ToolSpecs();
    const live = [tool("a"), tool("b")];
    expect(names(specs.of(live, identity, ["a\nb"]))).toEqual([]);
    expect(names(specs.of(live, identity, ["a", "b"]))).toEqual(["a", "b"]);
  });

  it("cannot be changed, by their readers or by the owner of the schema", () => {
    const specs = new ToolSpecs();
    const live = [tool("a")];
    const [spec] = specs.of(live, identity, undefined);
    expect(() => Object.assign(spec?.input.properties as object, { n: 1 })).toThrow(TypeError);
    Object.assign(live[0]?.input as object, { type: "string" });
    expect(spec?.input.type).toBe("object");
  });

  it("for very many lists are not kept without end", () => {
    const specs = new ToolSpecs();
    const live = [tool("a")];
    const first = specs.of(live, identity, ["a", "0"]);
    for (let count = 1; count <= 200; count++) specs.of(live, identity, ["a", String(count)]);
    expect(specs.of(live, identity, ["a", "0"])).not.toBe(first);
  });
});

it("a tool that comes, goes or changes is known to the next turn", async () => {
  let retool: (tools: readonly { name: string; about: string }[]) => Promise<void> = async () => {};
  const make = ({ name, about }: { name: string; about: string }) =>
    ({ name, about, input: Type.Object({}), access: "read", risk: "read", run: async () => "" }) as const;
  const changing = definePlugin({
    id: "changing",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) => {
      ctx.tool(make({ name: "first", about: "One" }));
      retool = (tools) => ctx.retool(tools.map(make) as never);
    },
  });
  const { host, model, run } = await chatHost({ plugins: [changing] });
  const told = async () => {
    await run({ session: "s", text: "hi" }).done;
    const tools = model.requests.at(-1)?.tools ?? [];
    return tools
      .filter(({ name }) => name === "first" || name === "second")
      .map(({ name, about }) => `${name} ${about}`);
  };
  expect(await told()).toEqual(["first One"]);
  await retool([{ name: "first", about: "Another" }]);
  expect(await told()).toEqual(["first Another"]);
  await retool([{ name: "second", about: "Two" }]);
  expect(await told()).toEqual(["second Two"]);
  await host.plugins.disable("changing", "test");
  expect(await told()).toEqual([]);
});
