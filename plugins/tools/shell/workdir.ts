/** Where a program starts: a folder of the workspace, links followed. */
import { mkdir, realpath, stat } from "node:fs/promises";
import { GatewayError } from "@chela/sdk";
import { belowRoot } from "../files/place.ts";
import { type Ctx, present } from "../world.ts";

export async function workingDir(ctx: Ctx, asked: string | undefined): Promise<string> {
  const root = present(ctx, "workspace").folder();
  const path = belowRoot(root, asked || ctx.config.shell.working_dir || ".");
  await mkdir(root, { recursive: true, mode: 0o700 });
  const folder = path === "." ? await realpath(root) : await ctx.use.files.resolve(root, path);
  const stats = await stat(folder).catch(() => undefined);
  if (stats?.isDirectory()) return folder;
  throw new GatewayError("NOT_A_FOLDER", 400, `${JSON.stringify(path)} is no folder of the workspace; make it first`);
}
