/** Which keys apply at once: the patterns of a section's hot keys, read as the gateway reads them. */
import type { Keys } from "./values.ts";

/** `mixed`: some keys below apply at once, and others do not. */
export function heatOf(hot: readonly string[], keys: Keys): "hot" | "cold" | "mixed" {
  if (hot.some((pattern) => pattern === "*" || isAtOrBelow(keys, keysOf(pattern)))) return "hot";
  return hot.some((pattern) => isAtOrBelow(keysOf(pattern), keys)) ? "mixed" : "cold";
}

function keysOf(pattern: string): Keys {
  return pattern.replace(/\.\*$/, "").split(".");
}

/** `*` stands for any one key, on either side. */
function isAtOrBelow(keys: Keys, top: Keys): boolean {
  return (
    top.length <= keys.length && top.every((key, index) => key === "*" || keys[index] === "*" || key === keys[index])
  );
}
