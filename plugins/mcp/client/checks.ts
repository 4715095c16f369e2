/** ClawGo's `mcp_server_checks`: is the command of each server there, and could the gateway install it. */
import { isAbsolute } from "node:path";
import type { McpServerCheck } from "@chela/sdk";
import type { Ctx } from "../needs.ts";
import { type ServerSettings, transportWord } from "../settings.ts";
import { resolveCommand, workspaceRoot } from "./place.ts";

export async function serverChecks(ctx: Ctx): Promise<readonly McpServerCheck[]> {
  const servers = Object.entries(ctx.config.servers).sort(([a], [b]) => (a < b ? -1 : 1));
  return await Promise.all(servers.map(([name, server]) => check(ctx, name, server)));
}

async function check(ctx: Ctx, name: string, server: ServerSettings): Promise<McpServerCheck> {
  const command = server.command.trim();
  const { installer, name: packageName } = inferPackage(server);
  const row = {
    name,
    enabled: server.enabled,
    transport: transportWord(server),
    command,
    resolved: "",
    package: packageName,
    installer,
    installable: false,
    missing_command: false,
  };
  if (!server.enabled) return { ...row, status: "disabled", message: "server is disabled" };
  if (row.transport !== "stdio")
    return { ...row, status: "not_applicable", message: "command check not required for non-stdio transport" };
  if (command === "") return { ...row, status: "missing_command", message: "command is empty" };
  const resolved = await resolveCommand(ctx, command, workspaceRoot(ctx));
  if (resolved) return { ...row, status: "ok", message: "command found", resolved };
  return {
    ...row,
    status: "missing_command",
    message: `command not found${isAbsolute(command) ? "" : " in PATH"}: ${command}`,
    missing_command: true,
    installable: installer === "uv" || installer === "bun",
  };
}

/** What would have to be installed, from the way the server is started. */
function inferPackage({ command, args, package: named }: ServerSettings): { name: string; installer: string } {
  if (named.trim() !== "") return { name: named.trim(), installer: "" };
  const program = command.trim().split(/[\\/]/).at(-1) ?? "";
  const first = args.find((arg) => arg.trim() !== "" && !arg.startsWith("-"))?.trim() ?? "";
  if (program === "npx") return { name: first, installer: "" };
  if (program === "uvx") return { name: first, installer: "uv" };
  if (program === "bunx") return { name: first, installer: "bun" };
  const at = args.indexOf("-m");
  const module = at < 0 ? "" : (args[at + 1]?.trim() ?? "");
  return /^python3?$/.test(program) && module !== "" ? { name: module, installer: "pip" } : { name: "", installer: "" };
}
