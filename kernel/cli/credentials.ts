/**
 * The credential for a gateway: `--token`, the environment, then what this machine's own config and state dir hold. The
 * latter is offered to the gateway of this state dir and to this machine only: any other address given by hand gets no
 * secret that was not given by hand.
 */
import { join } from "node:path";
import { parseDocument } from "../config/document.ts";
import { expandReferences } from "../config/env.ts";
import { getAt } from "../config/paths.ts";
import { readIfThere } from "../disk/files.ts";
import { readGatewayFile } from "../process/gateway-file.ts";
import type { Cli } from "./cli.ts";

const maxConfigBytes = 4 * 1024 * 1024;

export async function tokenFor(cli: Cli, url: string): Promise<string | undefined> {
  const { env } = cli.io;
  const given = cli.flags.token || env.CHELA_GATEWAY_TOKEN || env.CHELA_GATEWAY_PASSWORD;
  if (given) return given;
  const facts = await readGatewayFile(cli.places.stateDir);
  if (!isLoopback(url) && facts?.url !== url) return undefined;
  const fromConfig = await configCredential(facts?.configPath ?? cli.places.configPath, env);
  return fromConfig ?? (await storedToken(cli.places.stateDir));
}

/** The token that the gateway made for itself. */
export async function storedToken(stateDir: string): Promise<string | undefined> {
  const text = await readIfThere(join(stateDir, "token"), 4096).catch(() => undefined);
  return text?.trim() || undefined;
}

export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** A config that cannot be read has no say here; the command that needs it will tell. */
async function configCredential(path: string, env: Cli["io"]["env"]): Promise<string | undefined> {
  try {
    const text = await readIfThere(path, maxConfigBytes);
    if (text === undefined) return undefined;
    const { value } = expandReferences(parseDocument(text, path).raw, {}, env);
    const textAt = (at: string) => {
      const found = getAt(value, at.split("."));
      return typeof found === "string" && found !== "" ? found : undefined;
    };
    const password = textAt("gateway.auth.password");
    const mode = textAt("gateway.auth.mode") ?? (password ? "password" : "token");
    return mode === "password" ? password : (textAt("gateway.auth.token") ?? textAt("gateway.token"));
  } catch {
    return undefined;
  }
}
