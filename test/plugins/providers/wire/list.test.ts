/** What vendors say of their models, page by page, and how they count tokens. */
import { describe, expect, onTestFinished, test } from "vitest";
import { Pools } from "../../../../plugins/providers/http/pools.ts";
import { toSpec } from "../../../../plugins/providers/settings.ts";
import { countTokens, listModels } from "../../../../plugins/providers/wire/list.ts";
import { httpServer } from "../../../kit/http-server.ts";
import { ask, never, upstream } from "../kit.ts";
import { setup, tools } from "./kit.ts";

function options(token?: string) {
  const pools = new Pools();
  onTestFinished(() => pools.close());
  return { pools, signed: { token }, signal: never };
}

const specOf = (api: string, origin: string, prefix = "") =>
  toSpec("sim", { api, api_base: `${origin}${prefix}` }, "config");

describe("the list of models", () => {
  test.each([
    ["anthropic", "sk-ant-sim", "", ["claude-sim-1", "claude-sim-2"]],
    ["gemini", "AIza-sim", "/v1beta", ["gemini-sim-1", "gemini-sim-2"]],
    ["responses", "sk-sim", "/v1", ["gpt-sim", "gpt-5-sim"]],
  ] as const)("of %s is read to its end", async (wire, key, prefix, names) => {
    const { vendor } = await setup(wire);
    expect(await listModels(specOf(wire, vendor.origin, prefix), options(key))).toEqual(names);
  });

  test("of OpenAI's API is one page", async () => {
    const server = await upstream({ list: ["a", "b"], key: "k" });
    expect(await listModels(toSpec("sim", { api_base: server.base }, "config"), options("k"))).toEqual(["a", "b"]);
    expect((await server.last()).method).toBe("GET");
  });

  test("that never ends is bounded, and one that is refused says so", async () => {
    const endless = await httpServer((_, reply) =>
      reply.writeHead(200, { "content-type": "application/json" }).end(
        JSON.stringify({
          data: [{ id: `m${endless.seen.length}` }, { id: 7 }, null],
          has_more: true,
          last_id: `m${endless.seen.length}`,
        }),
      ),
    );
    expect(await listModels(specOf("anthropic", endless.origin), options("k"))).toHaveLength(20);
    const { vendor } = await setup("gemini");
    await expect(listModels(specOf("gemini", vendor.origin), options("wrong"))).rejects.toMatchObject({
      code: "UPSTREAM_AUTH",
    });
  });
});

test.each([
  ["anthropic", "sk-ant-sim", "claude-sonnet-5-5"],
  ["gemini", "AIza-sim", "gemini-3.8-flash"],
] as const)("%s counts the tokens of a request", async (wire, key, model) => {
  const { vendor } = await setup(wire);
  const spec = specOf(wire, vendor.origin);
  const target = { id: `sim/${model}`, provider: "sim", model, secrets: [], spec };
  const request = ask(target.id, {
    tools,
    messages: [
      { role: "system", content: "Rule." },
      { role: "user", content: "hi" },
    ],
  });
  expect(await countTokens(target, request, options(key))).toBeGreaterThan(10);
});

test("who does not count says nothing", async () => {
  const spec = toSpec("sim", { api_base: "http://127.0.0.1:9/v1" }, "config");
  const target = { id: "sim/m", provider: "sim", model: "m", secrets: [], spec };
  expect(await countTokens(target, ask("sim/m"), options())).toBeUndefined();
});
