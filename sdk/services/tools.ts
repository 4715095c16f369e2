/** The one dispatch path of tools (provided by the host): authorisation → `tool:before` → validation → run → `tool:after`. */

import type { Access } from "../identity.ts";
import type { ToolSpec, Turn } from "../messages.ts";
import { defineService } from "../service.ts";

/** A tool that can be called. */
export interface ToolInfo extends ToolSpec {
  readonly owner: string;
  readonly access: Access;
  readonly risk: "read" | "write" | "exec";
  /** It runs other tools, whatever they are. */
  readonly runsOthers?: boolean;
  /** Where it comes from when that is not the gateway itself. */
  readonly remote?: { readonly server: string; readonly tool: string };
}

/** What came of a tool call. */
export interface ToolAnswer {
  readonly ok: boolean;
  /** What the model reads; an error says what was wrong with the call. */
  readonly output: string;
  /** Why it is not `ok`: `TOOL_UNKNOWN`, `TOOL_DENIED`, `FORBIDDEN`, `INVALID`, `TOOL_FAILED` … */
  readonly code?: string;
}

/** Lists and runs the tools of all plugins. */
export interface Tools {
  /** What is live now, by name. */
  list(): readonly ToolInfo[];
  /** Never throws: refusals, bad input, time-outs and faults are answers with `ok: false`. */
  run(call: { id: string; name: string; arguments: string }, turn: Turn): Promise<ToolAnswer>;
}

/** Name it in `needs`. */
export const tools = defineService<Tools>("tools", "1.0.0");
