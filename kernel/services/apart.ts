/**
 * The `files` service over a folder that holds the state dir, such as a home that serves as workspace: the gateway's own
 * files (config, tokens, accounts, plugins) are none of that folder's. Folders inside the state dir are used as they are, and
 * so is a file that the operator named, such as an account right in the state dir: its tokens are renewed in place.
 */
import { realpath } from "node:fs/promises";
import { type Files, GatewayError } from "@chela/sdk";
import { isInside } from "../disk/files.ts";

export function apartFrom(stateDir: string, files: Files): Files {
  const assertApart = async (root: string, path: string): Promise<void> => {
    if (isBelow(stateDir, root)) return;
    // A folder that is not there holds nothing; each use says so in its own way.
    const folder = await realpath(root).catch(() => undefined);
    if (folder === undefined) return;
    const file = await files.resolve(root, path);
    const own = await realpath(stateDir);
    if (!isInside(own, file) || isBelow(own, folder)) return;
    const message = `The path ${JSON.stringify(path)} belongs to the gateway itself. Choose a folder that does not hold ${own}.`;
    throw new GatewayError("PATH_REFUSED", 400, message);
  };
  const apart =
    <A extends unknown[], R>(use: (root: string, path: string, ...rest: A) => Promise<R>) =>
    async (root: string, path: string, ...rest: A): Promise<R> => {
      await assertApart(root, path);
      return use(root, path, ...rest);
    };
  const write = apart(files.write);
  return {
    resolve: apart(files.resolve),
    facts: apart(files.facts),
    read: apart(files.read),
    remove: apart(files.remove),
    write: (root, path, bytes, options) => (options?.named ? files.write : write)(root, path, bytes, options),
  };
}

function isBelow(folder: string, path: string): boolean {
  return path !== folder && isInside(folder, path);
}
