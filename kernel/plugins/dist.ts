/** Where this installation keeps what the build made: the manifests and files of the built-in plugins, and the SDK. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GatewayError } from "@chela/sdk";
import { readIfThere } from "../disk/files.ts";
import type { BuiltinManifest } from "./entry.ts";

export interface Distribution {
  /** Absolute. */
  readonly root: string;
  /** The SDK as plugins get it linked. */
  readonly sdkDir: string;
  /** `file` is absolute. */
  readonly builtins: readonly BuiltinManifest[];
}

const maxBytes = 8 * 1024 * 1024;

/** Found upwards from a module of the running program: its own folder when it is bundled, `dist/` when it is a source. */
export async function distribution(fromUrl: string): Promise<Distribution> {
  const start = dirname(fileURLToPath(fromUrl));
  for (let folder = start; ; folder = dirname(folder)) {
    for (const root of [folder, join(folder, "dist")]) {
      const text = await readIfThere(join(root, "builtins.json"), maxBytes);
      if (text !== undefined) return { root, sdkDir: join(root, "sdk"), builtins: resolveFiles(root, text) };
    }
    if (folder === dirname(folder)) break;
  }
  const message = `This installation is incomplete: no builtins.json at or above ${start}. Run "npm run build" in a clone, or install Chela again.`;
  throw new GatewayError("INSTALLATION_BROKEN", 500, message);
}

function resolveFiles(root: string, text: string): readonly BuiltinManifest[] {
  const list = JSON.parse(text) as readonly BuiltinManifest[];
  return list.map((builtin) => ({ ...builtin, file: join(root, builtin.file) }));
}
