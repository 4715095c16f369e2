/** Names that clients and agents give: ClawGo's rule for relative paths, and the folders of agents. */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { GatewayError } from "@chela/sdk";

export const memoryFolder = "memory";
export const agentsFolder = "agents";
export const longTerm = "MEMORY.md";

/** Absolute paths, `.`, what begins with `..` once it is cleaned, backslashes and NUL are refused: 400 `invalid path`. */
export function cleanPath(sent: unknown): string {
  const text = typeof sent === "string" ? sent.trim() : "";
  if (text === "" || text.length > 4096 || /[\0\\]/.test(text)) throw invalidPath();
  if (text.startsWith("/") || /^[A-Za-z]:/.test(text)) throw invalidPath();
  const clean = posix.normalize(text).replace(/\/+$/, "");
  if (clean === "" || clean === "." || clean.startsWith("..")) throw invalidPath();
  return clean;
}

export function invalidPath(cause?: unknown): GatewayError {
  return new GatewayError("PATH_REFUSED", 400, "invalid path", undefined, { cause });
}

/**
 * The folder name of an agent, or empty for the main one. Names that could meet on some disk, or that are no file names,
 * get a part of their hash: two agents never share a folder.
 */
export function namespaceOf(agent: string | undefined): string {
  if (agent === undefined || agent === "" || agent === "main") return "";
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(agent) && agent !== "runtime") return agent;
  const slug = agent
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  const hash = createHash("sha256").update(agent).digest("hex").slice(0, 12);
  // No plain name has a dot, so no agent can be called like this.
  return `${slug || "agent"}.${hash}`;
}

/** The folder that holds an agent's own documents: empty for the root. */
export function homeOf(agent: string | undefined): string {
  const namespace = namespaceOf(agent);
  return namespace === "" ? "" : `${agentsFolder}/${namespace}`;
}

/** `memory`, `agents/researcher/memory`. */
export function memoryOf(agent: string | undefined): string {
  return posix.join(homeOf(agent), memoryFolder);
}

/** `2026-11-21.md` of the local day, `back` days ago. */
export function dailyNote(now: Date, back = 0): string {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - back);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}.md`;
}
