/** ClawGo's catalogue of tools: `/api/tools` and `/api/tool_allowlist_groups`, and the same for the command line. */
import { GatewayError, type Identity, type ToolInfo, Type, toolGroups } from "@chela/sdk";
import { ruleFor } from "../approvals/policy.ts";
import type { Ctx } from "../world.ts";

/** Only what may run scripts of skills is handed down to subagents without being named. */
const inherited: ReadonlySet<string> = new Set(["skill_exec"]);
const checks = "mcp.checks";

export function registerCatalogue(ctx: Ctx): void {
  ctx.route({
    method: "GET",
    path: "/api/tools",
    access: "read",
    about:
      "All tools as models see them, those of MCP servers apart once more, and whether those servers can be started.",
    handler: async ({ identity, id, signal }) => {
      const tools = ctx.use.tools.list().map(entry);
      const mcp_server_checks = await serverChecks(ctx, { identity, id, signal });
      return { mcp_server_checks, mcp_tools: tools.filter(({ source }) => source === "mcp"), tools };
    },
  });
  ctx.route({
    method: "GET",
    path: "/api/tool_allowlist_groups",
    access: "read",
    about: "The named groups that an agent's allowlist may use.",
    handler: () => ({ groups: toolGroups.map(group), ok: true }),
  });
  ctx.method({
    name: "tools.list",
    access: "read",
    about: "Every tool: what it is for, its input, its risk, and what the settings say about approval.",
    params: Type.Object({}),
    handler: () => ctx.use.tools.list().map((info) => row(ctx, info)),
  });
  ctx.method({
    name: "tools.info",
    access: "read",
    about: "One tool with the JSON Schema of its input.",
    params: Type.Object({ name: Type.String({ maxLength: 64, description: "Name of the tool" }) }),
    handler: ({ name }) => {
      const info = ctx.use.tools.list().find((one) => one.name === name);
      if (!info) throw new GatewayError("TOOL_UNKNOWN", 404, `there is no tool "${name}"; tools.list names them`);
      return { ...row(ctx, info), parameters: info.input };
    },
  });
}

function entry({ name, about, input, remote }: ToolInfo) {
  const subagent = inherited.has(name) ? "inherited" : "allowlist";
  return {
    description: about,
    ...(remote && { mcp: { remote_tool: remote.tool, server: remote.server } }),
    name,
    parameters: input,
    source: remote ? "mcp" : "local",
    visibility: { main_agent: true, subagent },
  };
}

function group({ name, description, aliases, tools }: (typeof toolGroups)[number]) {
  return { name, description, aliases, tools };
}

function row(ctx: Ctx, { name, about, access, risk, owner, remote }: ToolInfo) {
  const { policy, setting } = ruleFor(ctx.config.approvals, { tool: name, risk, input: undefined });
  return { name, about, access, risk, approval: policy, decidedBy: setting, owner, ...(remote && { remote }) };
}

interface Asker {
  readonly identity: Identity;
  readonly id: string;
  readonly signal: AbortSignal;
}

/** Of the MCP plugin, where it is running. */
async function serverChecks(ctx: Ctx, asker: Asker): Promise<unknown> {
  const { gateway } = ctx.use;
  if (!gateway.methods().some(({ name }) => name === checks)) return [];
  const rows = await gateway.call(checks, {}, asker).catch((error: unknown) => {
    ctx.log.warn({ error }, "the checks of the MCP servers failed");
    return [];
  });
  return Array.isArray(rows) ? rows : [];
}
