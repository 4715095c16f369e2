/** Paths as models write them, below the workspace. */
import { realpath } from "node:fs/promises";
import { isAbsolute, relative } from "node:path";
import { type Files, GatewayError } from "@chela/sdk";

/** Relative to `root`, with `/`: an absolute path that lies below it is as good. `.` is the root itself. */
export function belowRoot(root: string, path: string): string {
  const wanted = path.trim();
  const inside = isAbsolute(wanted) ? relative(root, wanted) || "." : wanted;
  const clean = process.platform === "win32" ? inside.replaceAll("\\", "/") : inside;
  if (clean.split("/").includes("..") || isAbsolute(clean)) {
    const message = `${JSON.stringify(path.slice(0, 200))} is outside the workspace ${root}; paths are relative to it`;
    throw new GatewayError("PATH_REFUSED", 400, message);
  }
  return clean === "" ? "." : clean;
}

/** Where `path` lies, links followed; undefined before there is a workspace. */
export function placeIn(files: Files, root: string, path: string): Promise<string | undefined> {
  const place = path === "." ? realpath(root) : files.resolve(root, path);
  return place.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
}

export function missing(path: string): GatewayError {
  return new GatewayError(
    "FILE_MISSING",
    404,
    `there is no file ${JSON.stringify(path)}; list_dir shows what is there`,
  );
}
