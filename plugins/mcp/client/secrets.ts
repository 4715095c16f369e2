/** What the operator gave a server to know: a server that repeats it, in an error or in an answer, tells it to nobody here. */
import type { ServerSettings } from "../settings.ts";

/** Shorter values (`1`, `true`, `debug`) are no secrets, and would tear holes into every text. */
const shortest = 8;
const mark = "***";

/** The longest first: one may hold another. */
export function secretsOf({ env, headers }: Pick<ServerSettings, "env" | "headers">): readonly string[] {
  const values = [...Object.values(env), ...Object.values(headers)];
  // `Bearer abc`: the token by itself, too.
  const words = values.flatMap((value) => [value, ...value.split(/\s+/)]).filter(({ length }) => length >= shortest);
  const spelled = words.flatMap((word) => [word, JSON.stringify(word).slice(1, -1)]);
  return [...new Set(spelled)].sort((a, b) => b.length - a.length);
}

export function without(secrets: readonly string[], text: string): string {
  return secrets.reduce((kept, secret) => (kept.includes(secret) ? kept.replaceAll(secret, mark) : kept), text);
}

/** Every text of a parsed message, in place, however deep it is. */
export function purge(secrets: readonly string[], message: object): void {
  if (secrets.length === 0) return;
  const open: object[] = [message];
  for (let part = open.pop(); part; part = open.pop()) {
    for (const [key, value] of Object.entries(part)) {
      if (typeof value === "object" && value !== null) open.push(value as object);
      else if (typeof value === "string") (part as Record<string, unknown>)[key] = without(secrets, value);
    }
  }
}
