/** Allowlists of tools (ClawGo §1.10): the named groups, and what a list of names and groups means. Pure. */

/** A named set of tools. */
export interface ToolGroup {
  readonly name: string;
  readonly description: string;
  readonly aliases: readonly string[];
  readonly tools: readonly string[];
}

/** Sorted by name; aliases and tools sorted. */
export const toolGroups: readonly ToolGroup[] = Object.freeze([
  {
    name: "files_read",
    description: "Read-only workspace file tools",
    aliases: ["file_read", "readonly_files"],
    tools: ["list_dir", "read_file"],
  },
  {
    name: "files_write",
    description: "Workspace file modification tools",
    aliases: ["file_write"],
    tools: ["edit_file", "write_file"],
  },
  {
    name: "memory_all",
    description: "All memory tools",
    aliases: ["memory"],
    tools: ["memory_get", "memory_search", "memory_write"],
  },
  {
    name: "memory_read",
    description: "Read-only memory and session recall tools",
    aliases: ["mem_read"],
    tools: ["memory_get", "memory_search", "session_search"],
  },
  { name: "memory_write", description: "Memory write tools", aliases: ["mem_write"], tools: ["memory_write"] },
  {
    name: "skills",
    description: "Skill script execution tools",
    aliases: ["skill", "skill_scripts"],
    tools: ["skill_exec"],
  },
  {
    name: "subagent",
    description: "Subagent execution tools",
    aliases: ["agent_runtime"],
    tools: ["spawn", "subagent_profile"],
  },
]);

/** Stands for every tool, in a list that was expanded. */
export const everyTool = "*";

const everyWord: ReadonlySet<string> = new Set([everyTool, "all"]);
const toolsOf: ReadonlyMap<string, readonly string[]> = new Map(
  toolGroups.flatMap(({ name, aliases, tools }) => [name, ...aliases].map((word) => [word, tools] as const)),
);

/**
 * The names of tools that a list means: `*` and `all` are every tool (`*`), `group:NAME`, `@NAME` and a bare name or alias
 * of a group are its tools, anything else is the name of a tool. Unknown groups are kept as they are and allow nothing.
 * Lower case, sorted, each once.
 */
export function expandAllowlist(tokens: readonly string[]): string[] {
  const names = tokens.map((token) => token.trim().toLowerCase()).filter((token) => token !== "");
  return [...new Set(names.flatMap(meaningOf))].sort();
}

/** True when an expanded list lets a tool through. An empty list lets nothing through. */
export function isToolAllowed(tool: string, expanded: readonly string[]): boolean {
  return expanded.includes(everyTool) || expanded.includes(tool.toLowerCase());
}

function meaningOf(token: string): readonly string[] {
  if (everyWord.has(token)) return [everyTool];
  const group = /^(?:group:|@)\s*(.*)$/.exec(token)?.[1] ?? token;
  return toolsOf.get(group) ?? [token];
}
