/** Arguments of tools as the audit keeps them: secrets masked by the names of their keys, long texts cut with a hash of the whole. */

import { createHash } from "node:crypto";
import { cutText } from "@chela/sdk";

const secretName =
  /pass(?:word|wd|phrase)?$|secret|token|api[-_]?key|private[-_]?key|credential|authorization|cookie|session[-_]?id|bearer/i;
const maxChars = 4_000;
const maxDepth = 64;

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
    return JSON.stringify(masked(JSON.parse(json), 0)) ?? json;
  } catch {
    // What is not JSON has no keys; the model may have meant a secret all the same.
    return maskedLine(json);
  }
}

function masked(value: unknown, depth: number): unknown {
  if (typeof value === "string") return maskedLine(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= maxDepth) return "…";
  if (Array.isArray(value)) return value.map((part) => masked(part, depth + 1));
  const pairs = Object.entries(value).map(([key, part]) => {
    const counts = typeof part === "number" && /tokens$/i.test(key);
    const hidden = secretName.test(key) && part !== null && part !== "" && typeof part !== "boolean" && !counts;
    return [key, hidden ? "***" : masked(part, depth + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

/** Secrets inside a command, a URL or a message, where they stand after a telling name. */
export function maskedLine(text: string): string {
  if (text.length > 1_000_000) return `[${text.length} characters]`;
  return text
    .replace(/((?:password|passwd|secret|token|api[-_]?key)["']?\s{0,4}[=:]\s{0,4}["']?)[^\s"'&;]{3,}/gi, "$1***")
    .replace(/(authorization:\s{0,4}(?:bearer|basic)\s{1,4})\S+/gi, "$1***")
    .replace(/(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,200}@/gi, "$1***@");
}
