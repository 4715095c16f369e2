/** `10m`, `1h30m`, `2026-12-24 18:00`: a moment in the future. Pure. */
import { GatewayError } from "@chela/sdk";

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const farthestMs = 10 * 366 * 86_400_000;

export function momentOf(when: string, now: number): number {
  const text = when.trim().replace(/^in\s+/i, "");
  const span = /^(?:\d{1,7}(?:\.\d{1,3})?[smhdw]){1,5}$/i.test(text) ? spanOf(text) : undefined;
  const at = span === undefined ? Date.parse(text.replace(/^(\d{4}-\d{2}-\d{2}) (?=\d)/, "$1T")) : now + span;
  if (!Number.isFinite(at))
    throw new GatewayError("TIME_UNREADABLE", 400, "when must be a span such as 10m or 1h30m, or a date and time");
  if (at <= now) throw new GatewayError("TIME_PAST", 400, `${new Date(at).toISOString()} has passed`);
  if (at > now + farthestMs) throw new GatewayError("TIME_FAR", 400, "that is more than ten years from now");
  return Math.round(at);
}

function spanOf(text: string): number {
  let sum = 0;
  for (const [, count, unit] of text.toLowerCase().matchAll(/([\d.]+)([smhdw])/g))
    sum += Number(count) * (units[unit as string] as number);
  return sum;
}
