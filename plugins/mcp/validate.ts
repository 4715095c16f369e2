/** What is wrong with `tools.mcp` beyond its schema, in ClawGo's words. Asked only while it is enabled, and only of enabled servers. */
import { isAbsolute, relative, resolve, sep } from "node:path";
import { type McpSettings, permissionOf, type ServerSettings, transportOf, transportWord } from "./settings.ts";

export interface Problem {
  readonly path: string;
  readonly message: string;
}

export function problemsOf(section: McpSettings, workspace: string): readonly Problem[] {
  if (!section.enabled) return [];
  const problems: Problem[] = [];
  if (!(section.request_timeout_sec > 0))
    problems.push({ path: "tools.mcp.request_timeout_sec", message: "must be > 0 when tools.mcp.enabled=true" });
  for (const [name, server] of Object.entries(section.servers)) {
    if (name.trim() === "") problems.push({ path: "tools.mcp.servers", message: "contains an empty server name" });
    else if (server.enabled) problems.push(...serverProblems(name, server, workspace));
  }
  return problems;
}

/** Of one enabled server; `path` starts at `tools.mcp.servers`. */
export function serverProblems(name: string, server: ServerSettings, workspace: string): readonly Problem[] {
  const at = (key: string, message: string): Problem => ({ path: `tools.mcp.servers.${name}.${key}`, message });
  const kind = transportOf(server);
  const permission = permissionOf(server);
  const problems: Problem[] = [];
  if (!kind) problems.push(at("transport", "must be one of: stdio, http, streamable_http, sse"));
  if (kind === "stdio" && server.command.trim() === "")
    problems.push(at("command", "is required when transport=stdio"));
  if (kind === "http" || kind === "sse") {
    if (server.url.trim() === "") problems.push(at("url", `is required when transport=${transportWord(server)}`));
    else if (!isHttp(server.url))
      problems.push(at("url", "must be an http or https address without user and password"));
  }
  if (permission !== "workspace" && permission !== "full")
    problems.push(at("permission", "must be one of: workspace, full"));
  else if (kind === "stdio") {
    const trouble = folderTrouble(server.working_dir.trim(), permission, workspace);
    if (trouble) problems.push(at("working_dir", trouble));
  }
  return problems;
}

function folderTrouble(folder: string, permission: "workspace" | "full", workspace: string): string | undefined {
  if (folder === "") return undefined;
  if (permission === "full") return isAbsolute(folder) ? undefined : "must be an absolute path when permission=full";
  const below = relative(workspace, resolve(workspace, folder));
  const leaves = below === ".." || below.startsWith(`..${sep}`) || isAbsolute(below);
  return leaves ? "must stay within workspace unless permission=full" : undefined;
}

function isHttp(text: string): boolean {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  return (url?.protocol === "http:" || url?.protocol === "https:") && url.username === "" && url.password === "";
}
