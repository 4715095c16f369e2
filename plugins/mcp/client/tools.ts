/** The tools of one server in the form that is kept and registered: bounded, plain, each name once. What is left out is named with its reason. */

import { createHash } from "node:crypto";
import { isObject } from "@chela/sdk";
import { isPlain, plainLine, plainWords } from "./plain.ts";
import { boundSchema, type Schema, SchemaRefused } from "./schema.ts";

export const maxTools = 256;
const maxRefused = 50;

export interface RemoteTool {
  /** As the server calls it. */
  readonly name: string;
  readonly about: string;
  readonly input: Schema;
  readonly readOnly: boolean;
  /** Changes with anything that was shown of it. */
  readonly fingerprint: string;
}

export interface Refused {
  readonly tool: string;
  readonly reason: string;
}

export interface ToolList {
  readonly tools: readonly RemoteTool[];
  readonly refused: readonly Refused[];
}

/** `raw` is what the server said, of any shape. */
export function boundTools(raw: readonly unknown[]): ToolList {
  const tools = new Map<string, RemoteTool>();
  const refused: Refused[] = [];
  for (const each of raw) {
    const { name, reason, tool } = judge(each, tools);
    if (tool) tools.set(tool.name, tool);
    else if (refused.length < maxRefused) refused.push({ tool: plainLine(name, 64) || "(no name)", reason });
  }
  return { tools: [...tools.values()], refused };
}

function judge(
  raw: unknown,
  tools: ReadonlyMap<string, RemoteTool>,
): { name: unknown; reason: string; tool?: RemoteTool } {
  const entry = isObject(raw) ? raw : {};
  const { name } = entry;
  if (typeof name !== "string" || name === "" || name.length > 256 || !isPlain(name))
    return { name, reason: "its name is not plain text of 1 to 256 characters" };
  if (tools.has(name)) return { name, reason: "the server lists it twice; the first one counts" };
  if (tools.size >= maxTools) return { name, reason: `the server lists more than ${maxTools} tools` };
  try {
    return { name, reason: "", tool: remoteTool(name, entry) };
  } catch (error) {
    if (error instanceof SchemaRefused) return { name, reason: error.message };
    throw error;
  }
}

function remoteTool(name: string, entry: Readonly<Record<string, unknown>>): RemoteTool {
  const annotations = isObject(entry.annotations) ? entry.annotations : {};
  const shown = {
    name,
    about: plainWords(entry.description, 4000) || plainWords(entry.title ?? annotations.title, 200),
    input: boundSchema(entry.inputSchema),
    readOnly: annotations.readOnlyHint === true,
  };
  return { ...shown, fingerprint: createHash("sha256").update(JSON.stringify(shown)).digest("hex").slice(0, 32) };
}

/** What the model reads of it. */
export function describeTool(server: string, { name, about }: Pick<RemoteTool, "name" | "about">): string {
  const place = plainLine(server, 100);
  if (about === "") return `Proxy to MCP tool "${name}" on server "${place}".`;
  return `${about} (MCP server: ${place}, remote tool: ${name})`;
}

/** What of a list is new, gone or another; undefined when nothing is. */
export function differenceOf(before: ToolList, now: ToolList) {
  const old = new Map(before.tools.map(({ name, fingerprint }) => [name, fingerprint]));
  const names = new Set(now.tools.map(({ name }) => name));
  const added = now.tools.filter(({ name }) => !old.has(name)).map(({ name }) => name);
  const removed = [...old.keys()].filter((name) => !names.has(name));
  const changed = now.tools
    .filter(({ name, fingerprint }) => old.has(name) && old.get(name) !== fingerprint)
    .map(({ name }) => name);
  return added.length + removed.length + changed.length === 0 ? undefined : { added, removed, changed };
}
