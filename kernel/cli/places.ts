/** Where things are for one command line: relative paths in flags mean the folder the command was typed in. */
import { resolve } from "node:path";
import { locate } from "../config/locate.ts";
import type { Flags, Places } from "./cli.ts";
import type { Io } from "./io.ts";

export function resolvePlaces(flags: Pick<Flags, "config" | "stateDir">, io: Io, dev = false): Places {
  const here = (path: string | undefined) => (path && !path.startsWith("~") ? resolve(io.cwd, path) : path);
  const found = locate({ config: here(flags.config), stateDir: here(flags.stateDir), dev }, io.env);
  return { ...found, configNamed: Boolean(flags.config || io.env.CHELA_CONFIG) };
}
