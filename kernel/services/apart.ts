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
  return {
    resolve: async (root, path) => {
      await assertApart(root, path);
      return files.resolve(root, path);
    },
    facts: async (root, path) => {
      await assertApart(root, path);
      return files.facts(root, path);
    },
    read: async (root, path, maxBytes) => {
      await assertApart(root, path);
      return files.read(root, path, maxBytes);
    },
    write: async (root, path, bytes, options) => {
      if (!options?.named) await assertApart(root, path);
      return files.write(root, path, bytes, options);
    },
    remove: async (root, path) => {
      await assertApart(root, path);
      return files.remove(root, path);
    },
  };
}

function isBelow(folder: string, path: string): boolean {
  return path !== folder && isInside(folder, path);
}
