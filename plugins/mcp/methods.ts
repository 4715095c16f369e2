/** RPC: `mcp.list`, `mcp.checks`, `mcp.test`, `mcp.restart`, `mcp.install`, `mcp.add`, `mcp.remove`. */
import { isDeepStrictEqual } from "node:util";
import { GatewayError, type McpServer, messageOf, Type } from "@chela/sdk";
import type { LazyFleet } from "./lazy-fleet.ts";
import type { Ctx } from "./needs.ts";
import { McpSection, type ServerSettings } from "./settings.ts";

const Name = Type.String({
  minLength: 1,
  maxLength: 100,
  description: "Name of the server in tools.mcp.servers",
  pattern: "^[^\\u0000-\\u001f\\u007f]*$",
});
const ServerRow = Type.Object({
  name: Type.String(),
  transport: Type.String(),
  description: Type.String(),
  state: Type.String(),
  reason: Type.String(),
  tools: Type.Array(Type.String()),
  refused: Type.Array(Type.Object({ tool: Type.String(), reason: Type.String() })),
  pid: Type.Union([Type.Integer(), Type.Null()]),
  restarts: Type.Integer(),
  remote: Type.String(),
  protocol: Type.String(),
});
const Changed = Type.Object({ name: Type.String(), changed: Type.Boolean(), added: Type.Optional(Type.Boolean()) });
const sectionOfServer = McpSection.properties.servers.patternProperties["^.*$"];
const Wanted = Type.Unsafe<Partial<ServerSettings>>({ type: "object", properties: sectionOfServer.properties });

export function registerMethods(ctx: Ctx, fleet: LazyFleet): void {
  ctx.method({
    name: "mcp.list",
    access: "read",
    about: "MCP servers with their state, tools and command checks.",
    params: Type.Object({}),
    result: Type.Object({
      enabled: Type.Boolean(),
      servers: Type.Array(ServerRow),
      checks: Type.Array(Type.Unknown()),
    }),
    handler: async () => {
      const { serverChecks } = await import("./client/checks.ts");
      const servers = (await fleet.open()).rows();
      return { enabled: ctx.config.enabled, servers, checks: await serverChecks(ctx) };
    },
  });
  ctx.method({
    name: "mcp.checks",
    access: "read",
    about: "Whether the command of each server is there: `mcp_server_checks` of /api/tools.",
    params: Type.Object({}),
    result: Type.Array(Type.Unknown()),
    handler: async () => (await import("./client/checks.ts")).serverChecks(ctx),
  });
  ctx.method({
    name: "mcp.test",
    access: "write",
    about: "Starts a server if need be, without a pause after failures, and asks for its tools.",
    params: Type.Object({ name: Name }),
    result: Type.Intersect([ServerRow, Type.Object({ ok: Type.Boolean(), ms: Type.Number() })]),
    handler: async ({ name }, { signal }) => await test(ctx, fleet, name, signal),
  });
  ctx.method({
    name: "mcp.restart",
    access: "write",
    about: "Ends a server's process or connection and starts it again.",
    params: Type.Object({ name: Name }),
    result: ServerRow,
    handler: async ({ name }) => {
      requireOn(ctx);
      return await (await fleet.open()).restart(name);
    },
  });
  ctx.method({
    name: "mcp.install",
    access: "admin",
    about: "Installs the package of a server with uv, bun or npm into a folder of the gateway's own.",
    params: Type.Object({
      package: Type.String({ maxLength: 300, description: "Name of the package, with a version if wanted" }),
      installer: Type.Optional(Type.String({ maxLength: 20, description: "uv (default), bun or npm" })),
    }),
    handler: async (params, { signal, identity }) => {
      const { install } = await import("./install/install.ts");
      return await install(ctx, params, { signal, by: identity.id });
    },
  });
  registerChanges(ctx);
}

function registerChanges(ctx: Ctx): void {
  const at = (name: string) => `tools.mcp.servers[${JSON.stringify(name)}]`;
  const write = async (name: string, value: unknown, by: string) => {
    const edits = [{ path: at(name), value }];
    const switched = value !== undefined && !ctx.config.enabled ? [{ path: "tools.mcp.enabled", value: true }] : [];
    // The caller named what goes: it may be most of a small file.
    const options = { who: by, why: `MCP server ${name}`, force: value === undefined };
    const { failed } = await ctx.use.config.write([...edits, ...switched], options);
    const [first] = failed;
    if (first)
      throw new GatewayError("CONFIG_FAILED", 500, `the change could not be applied: ${first.id}: ${first.reason}`);
    return { name, changed: true };
  };
  ctx.method({
    name: "mcp.add",
    access: "admin",
    about: "Writes a server into the config, replacing one of the same name, and switches tools.mcp on.",
    params: Type.Object({ name: Name, server: Wanted }),
    result: Changed,
    handler: async ({ name, server }, { identity }) => {
      const before = Object.hasOwn(ctx.config.servers, name) ? ctx.config.servers[name] : undefined;
      const wanted = withoutDefaults(server);
      const same = before !== undefined && isDeepStrictEqual(withoutDefaults(before), wanted);
      if (same && ctx.config.enabled) return { name, changed: false, added: false };
      return { ...(await write(name, wanted, identity.id)), added: before === undefined };
    },
  });
  ctx.method({
    name: "mcp.remove",
    access: "admin",
    about: "Takes a server out of the config and ends it.",
    params: Type.Object({ name: Name }),
    result: Changed,
    handler: async ({ name }, { identity }) =>
      Object.hasOwn(ctx.config.servers, name) ? await write(name, undefined, identity.id) : { name, changed: false },
  });
}

async function test(
  ctx: Ctx,
  fleet: LazyFleet,
  name: string,
  signal: AbortSignal,
): Promise<McpServer & { ok: boolean; ms: number }> {
  requireOn(ctx);
  const from = performance.now();
  const all = await fleet.open();
  let ok = true;
  let reason = "";
  try {
    const connection = await all.server(name).connectionNow(signal);
    await connection.list("tools", signal);
  } catch (error) {
    if (GatewayError.is(error) && error.status < 500) throw error;
    ok = false;
    reason = messageOf(error);
  }
  const row = all.rows().find((each) => each.name === name) as McpServer;
  return { ...row, reason: row.reason || reason, ok, ms: Math.round(performance.now() - from) };
}

function requireOn({ config }: Ctx): void {
  if (!config.enabled)
    throw new GatewayError(
      "MCP_OFF",
      409,
      "MCP is switched off; switch it on with: chela config set tools.mcp.enabled true",
    );
}

/** The file holds only what was said; whether a server is on is always said. */
function withoutDefaults(server: Readonly<Record<string, unknown>>): object {
  const properties: Readonly<Record<string, object>> = sectionOfServer.properties;
  return Object.fromEntries(
    Object.entries(server).filter(
      ([key, value]) => key === "enabled" || !isDeepStrictEqual(value, defaultOf(properties[key])),
    ),
  );
}

function defaultOf(schema: object | undefined): unknown {
  return schema && "default" in schema ? schema.default : undefined;
}
