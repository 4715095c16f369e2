/** S-43, S-46, S-47: every tool by every entrance. What a scope does not cover does not run, what it covers passes the hooks once. */
import { definePlugin, type Identity } from "@chela/sdk";
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bearer, gatewayWith, keyWith } from "./kit.ts";

const scopes = ["read", "write", "admin"] as const;
const rank = (access: string) => (scopes as readonly string[]).indexOf(access);

interface Seen {
  readonly tool: string;
  readonly who: Identity;
  readonly origin: string | undefined;
}
const seen: Seen[] = [];
const ended: string[] = [];

/** Sees every call that gets as far as the hooks, and lets none run but `parallel`. */
const guard = definePlugin({
  id: "guard",
  version: "1.0.0",
  host: "^1.0.0",
  setup(ctx) {
    ctx.on("tool:before", ({ tool, turn }) => {
      if (tool === "parallel") return undefined;
      seen.push({ tool, who: turn.identity, origin: turn.origin });
      return { deny: "seen by the guard" };
    });
    ctx.on("tool:done", ({ tool, outcome }) => void ended.push(`${tool} ${outcome}`));
  },
});

let host: TestHost;
let tools: readonly { name: string; access: string; input: unknown }[];
const keys: Record<string, string> = {};

beforeAll(async () => {
  host = await gatewayWith([guard], {
    config: { tools: { mcp: { enabled: true }, approvals: { exec: "allow", write: "allow" } } },
  });
  for (const scope of scopes) keys[scope] = await keyWith(host, [scope]);
  const rows = await rpc("tools.list", {}, host.token);
  tools = await Promise.all(
    (rows.result as { name: string; access: string }[]).map(async ({ name, access }) => {
      const { result } = await rpc("tools.info", { name }, host.token);
      return { name, access, input: example((result as { parameters: unknown }).parameters) };
    }),
  );
});
afterAll(() => host.stop());
beforeEach(() => {
  seen.length = 0;
  ended.length = 0;
});

const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };

async function post(path: string, body: unknown, token: string) {
  return host.request(path, {
    method: "POST",
    token: null,
    headers: { ...bearer(token), ...json },
    body: JSON.stringify(body),
  });
}
async function rpc(method: string, params: unknown, token: string) {
  return (await post("/api/call", { method, params }, token)).json() as { ok: boolean; result?: unknown };
}

/** The least that a schema takes. */
function example(schema: unknown): unknown {
  const part = (schema ?? {}) as Record<string, unknown>;
  const [first] = (part.anyOf ?? part.oneOf ?? []) as unknown[];
  if ("const" in part) return part.const;
  if ("default" in part) return part.default;
  if (first !== undefined) return example(first);
  if (part.type === "string") return part.format === "uri" ? "http://example.com/" : "x";
  if (part.type === "integer" || part.type === "number") return part.minimum ?? 1;
  if (part.type === "boolean") return false;
  if (part.type === "array") return Array.from({ length: Number(part.minItems ?? 0) }, () => example(part.items));
  const { properties = {}, required = [] } = part as { properties?: Record<string, unknown>; required?: string[] };
  return Object.fromEntries(required.map((name) => [name, example(properties[name])]));
}

type Entrance = (tool: string, args: unknown, token: string) => Promise<unknown>;
const mcpCall = (name: string, args: unknown) => ({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name, arguments: args },
});
const entrances: Record<string, { readonly access: string; readonly enter: Entrance }> = {
  "/v1/tools/invoke": {
    access: "write",
    enter: (tool, args, token) => post("/v1/tools/invoke", { tool, args }, token),
  },
  "/tools/invoke": {
    access: "write",
    enter: (name, args, token) => post("/tools/invoke", { name, arguments: args }, token),
  },
  "tools.invoke": { access: "read", enter: (tool, args, token) => rpc("tools.invoke", { tool, args }, token) },
  "/mcp": { access: "read", enter: (tool, args, token) => post("/mcp", mcpCall(tool, args), token) },
  "/mcp, in a batch": { access: "read", enter: (tool, args, token) => post("/mcp", [mcpCall(tool, args)], token) },
  "parallel by RPC": {
    access: "read",
    enter: (tool, args, token) => rpc("tools.invoke", { tool: "parallel", args: { calls: [{ tool, args }] } }, token),
  },
  "parallel by /mcp": {
    access: "read",
    enter: (tool, args, token) => post("/mcp", mcpCall("parallel", { calls: [{ tool, args }] }), token),
  },
  "a model": {
    access: "write",
    enter: (tool, args, token) =>
      post("/api/chat", { message: `/tool ${tool} ${JSON.stringify(args)}`, session: crypto.randomUUID() }, token),
  },
};

describe.each(Object.entries(entrances))("%s", (_name, { access, enter }) => {
  it.each(scopes)("with the scope %s", async (scope) => {
    expect(tools.length).toBeGreaterThan(15);
    for (const tool of tools.filter(({ name }) => name !== "parallel")) {
      seen.length = 0;
      await enter(tool.name, tool.input, keys[scope] as string);
      const allowed = rank(scope) >= Math.max(rank(access), rank(tool.access));
      const heard = seen.map(({ tool: name, who }) => `${name} for ${who.name}`);
      expect(heard, `${tool.name} (${tool.access}) ${JSON.stringify(tool.input)}`).toEqual(
        allowed ? [`${tool.name} for k-${scope}`] : [],
      );
    }
  });
});

it("nobody gets further without a credential", async () => {
  for (const { enter } of Object.values(entrances)) await enter("system_info", {}, "");
  expect(seen).toEqual([]);
});

describe("S-46: what a client says of itself", () => {
  const claims = {
    approved: true,
    origin: "direct",
    identity: { id: "token", kind: "token", scopes: ["admin"] },
    scopes: ["admin"],
    turn: { identity: { id: "token", scopes: ["admin"] } },
    agent: "main",
    depth: -10,
  };
  it("does not count", async () => {
    const token = keys.write as string;
    const args = { command: "true", args: [], ...claims };
    await post("/v1/tools/invoke", { tool: "exec", args, ...claims }, token);
    await post("/api/call", { method: "tools.invoke", params: { tool: "exec", args, ...claims }, ...claims }, token);
    await post(
      "/mcp",
      { ...mcpCall("exec", args), params: { name: "exec", arguments: args, _meta: claims, ...claims } },
      token,
    );
    await post("/api/chat", { message: '/tool exec {"command":"true","args":[]}', ...claims }, token);
    await post(
      "/v1/chat/completions",
      { model: "chela", messages: [{ role: "user", content: '/tool exec {"command":"true","args":[]}' }], ...claims },
      token,
    );
    await post("/v1/responses", { model: "chela", input: '/tool exec {"command":"true","args":[]}', ...claims }, token);
    expect(seen.length).toBeGreaterThan(3);
    for (const { who } of seen) expect(who).toMatchObject({ name: "k-write", kind: "key", scopes: ["write"] });
    expect(seen.slice(-3).map(({ origin }) => origin)).toEqual([undefined, undefined, undefined]);
  });
});
