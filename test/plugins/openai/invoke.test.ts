/** `/tools/invoke` and `/v1/tools/invoke`: one tool, through the one dispatch path. */
import { definePlugin, GatewayError, type ToolRecord, Type } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import keys from "../../../plugins/keys/index.ts";
import { newKey, setup } from "./kit.ts";

function toolbox(seen: ToolRecord[]) {
  return definePlugin({
    id: "toolbox",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      const base = { risk: "read", access: "read" } as const;
      const Add = Type.Object({ a: Type.Number(), b: Type.Number() });
      ctx.tool({ ...base, name: "add", about: "Adds", input: Add, run: ({ a, b }) => ({ sum: a + b }) });
      const Act = Type.Object({ action: Type.String(), id: Type.Optional(Type.String()) });
      ctx.tool({ ...base, name: "jobs", about: "Acts", input: Act, run: (input) => input });
      ctx.tool({
        ...base,
        name: "who",
        about: "Tells",
        input: Type.Object({}),
        run: (_, turn) => `${turn.origin} ${turn.session} ${turn.identity.id}`,
      });
      ctx.tool({
        ...base,
        name: "fails",
        about: "Fails",
        input: Type.Object({}),
        run: () => {
          throw new GatewayError("NO_LUCK", 400, "it did not work");
        },
      });
      ctx.tool({
        ...base,
        name: "danger",
        access: "admin",
        about: "Danger",
        input: Type.Object({}),
        run: () => "boom",
      });
      ctx.tool({ ...base, name: "barred", about: "Barred", input: Type.Object({}), run: () => "never" });
      ctx.on("tool:before", ({ tool }) => (tool === "barred" ? { deny: "not today" } : undefined));
      ctx.on("tool:done", async (record) => {
        seen.push(record);
      });
    },
  });
}

describe.each(["/tools/invoke", "/v1/tools/invoke"])("POST %s", (path) => {
  it.each([
    [{ tool: "add", args: { a: 1, b: 2 } }, { sum: 3 }],
    [{ name: "add", arguments: { a: 1, b: 2 } }, { sum: 3 }],
    [{ name: "add", arguments: '{"a":1,"b":2}' }, { sum: 3 }],
    [
      { tool: "jobs", action: "list", args: { id: "x" } },
      { action: "list", id: "x" },
    ],
    [{ tool: "jobs", action: "list", args: { action: "own" } }, { action: "own" }],
  ])("%j answers with text and details", async (body, details) => {
    const { host } = await setup({ plugins: [toolbox([])] });
    const reply = await host.request(path, { body });
    expect(reply.status).toBe(200);
    const text = JSON.stringify(details);
    expect(reply.json()).toEqual({ ok: true, result: { content: [{ type: "text", text }], details } });
  });

  it.each([
    ["Idempotency-Key", {}, { "idempotency-key": "k" }],
    ["idempotencyKey", { idempotencyKey: "k" }, {}],
  ])("runs once for an %s", async (_, own, headers) => {
    const seen: ToolRecord[] = [];
    const { host } = await setup({ plugins: [toolbox(seen)] });
    const ask = (body: object) => host.request(path, { body: { ...body, ...own }, headers });
    const adds = { tool: "add", args: { a: 1, b: 2 } };
    const [first, second] = [await ask(adds), await ask(adds)];
    expect([second.text, second.headers["idempotent-replayed"]]).toEqual([first.text, "true"]);
    expect(seen).toHaveLength(1);
    expect((await ask({ tool: "jobs", args: {} })).status).toBe(409);
  });

  it("runs on behalf of the agent that is named, and of none that is not there", async () => {
    const seen: ToolRecord[] = [];
    const config = { agents: { entries: { clerk: {} } } };
    const { host } = await setup({ plugins: [toolbox(seen)], config });
    await host.request(path, { body: { tool: "who", agentId: "clerk" } });
    await host.request(path, { body: { tool: "who" } });
    expect(seen.map(({ turn }) => turn.agent)).toEqual(["clerk", "main"]);
    expect((await host.request(path, { body: { tool: "who", agentId: "nobody" } })).status).toBe(400);
  });

  it("runs as whoever asked, in the session that was named, as a direct call", async () => {
    const seen: ToolRecord[] = [];
    const { host } = await setup({ plugins: [toolbox(seen)] });
    const reply = await host.request(path, { body: { tool: "who", sessionKey: "notes" } });
    expect(reply.json()).toMatchObject({ result: { content: [{ text: "direct notes token" }], details: {} } });
    expect(seen).toMatchObject([{ tool: "who", outcome: "ok", owner: "toolbox", turn: { origin: "direct" } }]);
  });

  it.each([
    [{ tool: "add", args: { a: "x" } }, 400, "invalid_request", /input of add/],
    [{ tool: "add", args: "{" }, 400, "invalid_request", /args must be/],
    [{ args: {} }, 400, "invalid_request", /tools\.invoke requires name/],
    [{ tool: "nothing" }, 404, "not_found", /^Tool not available: nothing$/],
    [{ tool: "barred" }, 403, "forbidden", /^denied: not today$/],
    [{ tool: "fails" }, 500, "tool_error", /it did not work/],
    [{ tool: "add", args: { a: 1, b: 2 }, dryRun: true }, 400, "invalid_request", /dryRun/],
    [[], 400, "invalid_request", /JSON object/],
  ])("%j is refused", async (body, status, type, message) => {
    const seen: ToolRecord[] = [];
    const { host } = await setup({ plugins: [toolbox(seen)] });
    const reply = await host.request(path, { body });
    expect(reply.status).toBe(status);
    expect(reply.json()).toEqual({ ok: false, error: { type, message: expect.stringMatching(message) } });
    expect(seen.every(({ outcome }) => outcome === (status === 403 ? "denied" : "failed"))).toBe(true);
  });

  it("needs a credential, the scope of the route and that of the tool", async () => {
    const { host } = await setup({ plugins: [toolbox([]), apiConfig, keys] });
    expect((await host.request(path, { body: { tool: "who" }, token: null })).status).toBe(401);
    const reader = await newKey(host, { name: "reader", scopes: ["read"] });
    expect((await host.request(path, { body: { tool: "who" }, token: reader })).status).toBe(403);
    const writer = await newKey(host, { name: "writer" });
    expect((await host.request(path, { body: { tool: "who" }, token: writer })).status).toBe(200);
    const refused = await host.request(path, { body: { tool: "danger" }, token: writer });
    expect(refused.json()).toMatchObject({ ok: false, error: { type: "forbidden" } });
    expect((await host.request(path, { body: { tool: "danger" } })).status).toBe(200);
  });
});
