/** The tools of servers as they were last listed, on disk: after a restart they are there at once, before any server runs. */
import { createHash } from "node:crypto";
import type { Ctx } from "../needs.ts";
import type { ServerSettings } from "../settings.ts";
import { boundTools, type ToolList } from "./tools.ts";

const maxBytes = 8 * 1024 * 1024;
/** Older lists are asked for again in the background. */
const freshMs = 7 * 24 * 3_600_000;

/** Undefined when nothing usable is there: another configuration, another form, too old. */
export async function recallTools(ctx: Ctx, name: string, settings: ServerSettings): Promise<ToolList | undefined> {
  try {
    const bytes = await ctx.use.files.read(ctx.dataDir, fileOf(name), maxBytes);
    const kept = bytes ? (JSON.parse(bytes.toString("utf8")) as Record<string, unknown>) : {};
    const isOurs = kept.settings === digest(settings) && typeof kept.at === "number" && Date.now() - kept.at < freshMs;
    if (!isOurs || !Array.isArray(kept.tools)) return undefined;
    // Judged again: the file may be anybody's, and the rules newer than it.
    return boundTools(kept.tools);
  } catch {
    return undefined;
  }
}

export async function keepTools(ctx: Ctx, name: string, settings: ServerSettings, { tools }: ToolList): Promise<void> {
  const listed = tools.map(({ name: tool, about, input, readOnly }) => ({
    name: tool,
    description: about,
    inputSchema: input,
    annotations: { readOnlyHint: readOnly },
  }));
  const kept = { at: Date.now(), settings: digest(settings), tools: listed };
  await ctx.use.files.write(ctx.dataDir, fileOf(name), JSON.stringify(kept));
}

function fileOf(name: string): string {
  return `tools/${sha256(name).slice(0, 32)}.json`;
}

/** Secrets are among the settings: their digest is kept, they are not. */
function digest(settings: ServerSettings): string {
  return sha256(JSON.stringify(settings));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
