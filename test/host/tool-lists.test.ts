/** The list of tools, whatever single tools say of themselves: it is made once per generation and handed to every turn. */
import { type Context, type Tool, type TSchema, Type, tools } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it, onTestFinished } from "vitest";
import { plugin, type Setup } from "./kit.ts";

type Ctx = Context<unknown>;

const tool = (name: string): Tool<TSchema> => ({
  name,
  about: `${name}s`,
  input: Type.Object({}),
  risk: "read",
  access: "read",
  run: () => name,
});

/** Somebody's own, who was not held by types. */
function odd(facts: object): Tool<TSchema> {
  const { about: _, ...rest } = tool("odd");
  return Object.defineProperties(rest, Object.getOwnPropertyDescriptors(facts)) as Tool<TSchema>;
}

async function listed(strange: Tool<TSchema>) {
  const own = plugin("own", ((ctx: Ctx) => ctx.tool(strange)) as Setup);
  const other = plugin("other", ((ctx: Ctx) => ctx.tool(tool("good"))) as Setup);
  const host = await startHost({ plugins: [own, other] });
  onTestFinished(() => host.stop());
  const list = () => host.service(tools).list();
  return { host, list };
}

it("one without a description has an empty one", async () => {
  const { list } = await listed(odd({}));
  expect(list().map(({ name, about }) => `${name}: ${about}`)).toEqual(["good: goods", "odd: "]);
});

it("what has a default is not asked for, and is there all the same", async () => {
  const input = Type.Object({ path: Type.String(), limit: Type.Integer({ default: 7 }) });
  const { host, list } = await listed({ ...tool("odd"), input, run: (given) => JSON.stringify(given) });
  expect(list().find(({ name }) => name === "odd")?.input).toMatchObject({ required: ["path"] });
  const identity = { id: "token", name: "", kind: "token", scopes: ["admin"] } as const;
  const turn = { id: "t", session: null, agent: "main", identity, signal: new AbortController().signal };
  const answer = await host.service(tools).run({ id: "c", name: "odd", arguments: '{"path":"x"}' }, turn);
  expect(answer.output).toBe('{"path":"x","limit":7}');
});

it("one whose description fails is left out, and its owner is blamed once", async () => {
  const strange = odd({
    get about(): string {
      throw new Error("no words");
    },
  });
  const { host, list } = await listed(strange);
  expect(list().map(({ name }) => name)).toEqual(["good"]);
  expect(list()).toBe(list());
  const lines = host.logs().filter((line) => JSON.stringify(line).includes("no words"));
  expect(lines).toHaveLength(1);
  expect(JSON.stringify(lines)).toContain('"own"');
});
