/** What a session key may be, and what ClawGo's naming says about it. A key is a name, never a path. */
import { GatewayError, isSessionKey } from "@chela/sdk";

/** Of sessions that people did not open themselves. */
export const internalPrefixes = ["subagent:", "internal:", "heartbeat:", "cron:", "hook:"];

/** The key as it is; throws `SESSION_KEY` 400. */
export function sessionKey(key: string): string {
  if (isSessionKey(key)) return key;
  throw new GatewayError("SESSION_KEY", 400, "session must have 1 to 200 characters and no control characters");
}

/** The first name that is not blank, else `main`. */
export function chooseSession(...names: readonly unknown[]): string {
  for (const name of names) {
    if (typeof name === "string" && name.trim() !== "") return sessionKey(name.trim());
  }
  return "main";
}

export function kindOf(key: string): string {
  if (key.startsWith("cron:")) return "cron";
  if (key.startsWith("subagent:") || key.includes(":subagent:")) return "subagent";
  if (key.startsWith("hook:")) return "hook";
  return key.includes(":") ? "main" : "other";
}

/** What stands before the first colon; `main` stands for itself. */
export function channelOf(key: string): string | undefined {
  const colon = key.indexOf(":");
  if (colon > 0) return key.slice(0, colon);
  return key === "main" ? "main" : undefined;
}
