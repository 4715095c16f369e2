/** Where a stdio server runs and what is run: the working directory inside the workspace unless permitted otherwise, the command resolved. */
import { mkdir, stat } from "node:fs/promises";
import { isAbsolute, join, normalize, relative, resolve } from "node:path";
import { type ChildSpec, GatewayError } from "@chela/sdk";
import { binFolders } from "../install/prefix.ts";
import type { Ctx } from "../needs.ts";
import { permissionOf, type ServerSettings } from "../settings.ts";

export function workspaceRoot({ use }: Pick<Ctx, "use">): string {
  return use.workspace?.root() ?? join(use.gateway.status().stateDir, "workspace");
}

/** Absolute and free of links; made when it lies in the workspace. */
export async function workingDir(ctx: Ctx, server: ServerSettings): Promise<string> {
  const folder = server.working_dir.trim();
  if (permissionOf(server) === "full" && folder !== "") {
    const there = await stat(folder).catch(() => undefined);
    if (there?.isDirectory()) return folder;
    throw new GatewayError("MCP_CONFIG", 400, `working_dir ${folder} is no folder`);
  }
  const root = ctx.use.workspace?.folder() ?? workspaceRoot(ctx);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const below = normalize(isAbsolute(folder) ? relative(root, folder) : folder);
  const resolved = await ctx.use.files.resolve(root, below).catch((error: unknown) => {
    throw GatewayError.is(error) && error.code === "PATH_REFUSED" ? outside() : error;
  });
  await mkdir(resolved, { recursive: true, mode: 0o700 });
  return resolved;
}

/** Absolute path of the server's program; undefined when there is none. */
export async function resolveCommand(ctx: Ctx, command: string, cwd: string): Promise<string | undefined> {
  const name = command.trim();
  if (name === "") return undefined;
  if (/[\\/]/.test(name)) return ctx.use.children.which(isAbsolute(name) ? name : resolve(cwd, name));
  const found = await ctx.use.children.which(name);
  if (found) return found;
  for (const folder of binFolders(ctx.use.gateway.status().stateDir)) {
    const own = await ctx.use.children.which(join(folder, name));
    if (own) return own;
  }
  return undefined;
}

export async function childSpec(ctx: Ctx, server: ServerSettings): Promise<ChildSpec> {
  const cwd = await workingDir(ctx, server);
  const command = await resolveCommand(ctx, server.command, cwd);
  if (command) return { command, args: server.args, cwd, env: server.env };
  const name = server.command.trim();
  const where = isAbsolute(name) ? "" : " in PATH";
  throw new GatewayError("CHILD_NOT_FOUND", 404, `command not found${where}: ${name}`);
}

function outside(): GatewayError {
  return new GatewayError("MCP_CONFIG", 400, "working_dir must stay within workspace unless permission=full");
}
