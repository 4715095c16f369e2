/** Arguments of tools as the audit keeps them: secrets masked by the names of their keys, long texts cut with a hash of the whole. */
import { createHash } from "node:crypto";
import { cutText } from "@chela/sdk";

const secretName =
  /pass(?:word|wd|phrase)?$|secret|token|api[-_]?key|private[-_]?key|credential|authorization|cookie|session[-_]?id|bearer/i;
const maxChars = 4_000;
const maxDepth = 64;
/** Values that fit into that many characters. */
const maxParts = maxChars / 2;
const maxLine = maxChars * 2;
/** With what tells it, as far as the patterns look. */
const longestSecret = 500;

export interface KeptArguments {
  readonly text: string;
  /** SHA-256 of the arguments as they came; empty when nothing was cut or masked. */
  readonly hash: string;
}

export function keptArguments(json: string): KeptArguments {
  const masked = maskedText(json);
  const text = cutText(masked, maxChars, "…");
  return { text, hash: text === json ? "" : createHash("sha256").update(json).digest("hex") };
}

function maskedText(json: string): string {
  try {
    return JSON.stringify(masked(JSON.parse(json), 0, { left: maxParts })) ?? json;
  } catch {
    // What is not JSON has no keys; the model may have meant a secret all the same.
    return maskedLine(json);
  }
}

/** No more than would be kept is looked at. */
interface Budget {
  left: number;
}

function masked(value: unknown, depth: number, budget: Budget): unknown {
  budget.left -= 1;
  if (typeof value === "string") return maskedLine(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= maxDepth) return "…";
  const parts = value as Readonly<Record<string | number, unknown>>;
  const kept: [string | number, unknown][] = [];
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    if (budget.left <= 0) break;
    kept.push([key, isSecret(key, parts[key]) ? "***" : masked(parts[key], depth + 1, budget)]);
  }
  return Array.isArray(value) ? kept.map(([, part]) => part) : Object.fromEntries(kept);
}

function isSecret(key: string | number, part: unknown): boolean {
  if (typeof key === "number") return false;
  const counts = typeof part === "number" && /tokens$/i.test(key);
  return secretName.test(key) && part !== null && part !== "" && typeof part !== "boolean" && !counts;
}

/** Secrets inside a command, a URL or a message, where they stand after a telling name. What is long is cut. */
export function maskedLine(text: string): string {
  const line = text
    .slice(0, maxLine)
    .replace(/((?:password|passwd|secret|token|api[-_]?key)["']?\s{0,4}[=:]\s{0,4}["']?)[^\s"'&;]{3,}/gi, "$1***")
    .replace(/(authorization:\s{0,4}(?:bearer|basic)\s{1,4})\S+/gi, "$1***")
    .replace(/(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,200}@/gi, "$1***@");
  // A secret that was cut in two is not known by its end.
  return text.length > maxLine ? `${line.slice(0, -longestSecret)}…` : line;
}
