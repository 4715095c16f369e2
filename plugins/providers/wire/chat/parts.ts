/** Content that comes in parts, and thoughts beside it, as vendors and routers of this wire tell them. */
import { isObject, objectOf } from "@chela/sdk";
import { fault } from "../../failover/faults.ts";
import { limits } from "../../limits.ts";
import { textOf } from "../assembly.ts";
import type { Target } from "../dialect.ts";

type Fields = Readonly<Record<string, unknown>>;

const pieced: ReadonlySet<unknown> = new Set(["reasoning.text", "reasoning.summary"]);

export function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((part) => textOf(objectOf(part).text)).join("") : "";
}

/** Mistral's: `{type: "thinking", thinking: [{text}]}` among the parts. */
export function thoughtsIn(content: readonly unknown[]): string {
  return content.map((part) => textIn(objectOf(part).thinking)).join("");
}

/** `reasoning_details` of a router. The pieces of one thought become one part again: what is signed is the whole. */
export function addDetails(parts: Record<string, unknown>[], pieces: readonly unknown[], target: Target): void {
  for (const piece of pieces.filter(isObject)) {
    const last = parts.at(-1);
    if (last && goesOn(last, piece)) append(last, piece);
    else if (parts.length < limits.blocks) parts.push({ ...piece });
    else throw fault("UPSTREAM_PROTOCOL", target, `more than ${limits.blocks} parts of thoughts in one reply`);
  }
}

function goesOn(last: Fields, { type, index }: Fields): boolean {
  return pieced.has(type) && type === last.type && index !== undefined && index === last.index;
}

function append(last: Record<string, unknown>, piece: Fields): void {
  for (const [key, value] of Object.entries(piece)) {
    if (value === null) continue;
    last[key] = key === "text" || key === "summary" ? textOf(last[key]) + textOf(value) : value;
  }
}
