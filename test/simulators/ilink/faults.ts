/** Faults on demand: which calls go wrong, and how. */
import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Asked, Side } from "./journal.ts";

export interface FaultRule {
  /** Part of the path. */
  readonly path: string;
  readonly side?: Side;
  /** The first so many that match are let through. */
  readonly after?: number;
  /** So many of the others go wrong; default all. */
  readonly times?: number;
  readonly do:
    | { readonly delay: number }
    | { readonly status: number; readonly body?: string }
    | { readonly json: Readonly<Record<string, unknown>> }
    | "malformed"
    | "empty"
    | "reset"
    | "hang";
}

export class Faults {
  #rules: { readonly rule: FaultRule; seen: number }[] = [];

  add(rule: FaultRule): void {
    this.#rules.push({ rule, seen: 0 });
  }

  clear(): void {
    this.#rules = [];
  }

  /** True when the call got its fault and is over. */
  async strike(asked: Asked, response: ServerResponse): Promise<boolean> {
    const hit = this.#rules.find((one) => matches(one, asked));
    if (!hit) return false;
    const fault = hit.rule.do;
    if (typeof fault === "object" && "delay" in fault) {
      await pause(fault.delay);
      return false;
    }
    if (fault === "hang") return true;
    if (fault === "reset") response.socket?.destroy();
    else if (fault === "malformed") response.writeHead(200).end('{"status": "wai');
    else if (fault === "empty") response.writeHead(200).end();
    else if ("json" in fault) response.writeHead(200).end(JSON.stringify(fault.json));
    else response.writeHead(fault.status).end(fault.body ?? "a fault");
    return true;
  }
}

function matches(one: { readonly rule: FaultRule; seen: number }, { path, side }: Asked): boolean {
  const { rule } = one;
  if (!path.includes(rule.path) || (rule.side && rule.side !== side)) return false;
  one.seen += 1;
  const nth = one.seen - (rule.after ?? 0);
  return nth > 0 && nth <= (rule.times ?? Number.POSITIVE_INFINITY);
}
