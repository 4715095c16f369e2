/** What MCP clients are offered: the gateway's tools, the texts of the workspace, the skills. A call runs through the one dispatch path. */
import { allows, type Identity, type ToolInfo, type Turn } from "@chela/sdk";
import type { LazyFleet } from "../lazy-fleet.ts";
import type { Ctx } from "../needs.ts";
import { mediaOf } from "./media.ts";
import type { Offer, ShownTool, ToolOffer } from "./offered.ts";
import { promptsOf } from "./prompts.ts";
import { resourcesOf } from "./resources.ts";

export function offerOf(ctx: Ctx, fleet: LazyFleet): Offer<Identity> {
  return { tools: toolsOf(ctx, fleet), resources: resourcesOf(ctx), prompts: promptsOf(ctx) };
}

function toolsOf(ctx: Ctx, fleet: LazyFleet): ToolOffer<Identity> {
  /** What another Chela gave us is not passed on: two that list each other would never come to an end. */
  const isShared = ({ remote }: ToolInfo) =>
    remote !== undefined &&
    !fleet
      .opened()
      ?.rows()
      .some((row) => row.name === remote.server && row.remote.startsWith("chela "));
  const isOffered = (tool: ToolInfo) => tool.remote === undefined || isShared(tool);
  return {
    list: (identity) =>
      ctx.use.tools
        .list()
        .filter((tool) => isOffered(tool) && allows(identity, tool.access))
        .map(shown),
    call: async ({ name, input }, identity, signal) => {
      if (!ctx.use.tools.list().some((tool) => tool.name === name && isOffered(tool))) return undefined;
      const id = `mcp-${crypto.randomUUID()}`;
      const turn: Turn = { id, session: null, agent: "main", identity, signal, origin: "direct", channel: "mcp" };
      const { ok, output } = await ctx.use.tools.run({ id, name, arguments: JSON.stringify(input) }, turn);
      return { ok, text: output, media: await mediaOf(output, ctx.use.workspace) };
    },
  };
}

function shown({ name, about, input, risk }: ToolInfo): ShownTool {
  return {
    name,
    description: about,
    inputSchema: { ...input, type: "object" },
    annotations: { readOnlyHint: risk === "read" },
  };
}
