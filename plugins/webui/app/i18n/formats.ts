/** Numbers, sizes and times as people of each language write them. */
import { languages, number } from "./locale.ts";

const units = ["B", "kB", "MB", "GB", "TB"] as const;

/** 1_536 → `1.5 kB`. */
export function bytes(value: number): string {
  let rest = value;
  let unit = 0;
  while (rest >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${number(rest, { maximumFractionDigits: unit === 0 || rest >= 100 ? 0 : 1 })} ${units[unit]}`;
}

/** US dollars; small sums keep the digits that matter. */
export function dollars(value: number): string {
  const digits = value !== 0 && Math.abs(value) < 1 ? 4 : 2;
  return number(value, { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: digits });
}

export function percent(fraction: number): string {
  return number(fraction, { style: "percent", maximumFractionDigits: fraction < 0.1 ? 1 : 0 });
}

/** 1234 → `1.2K`, or `1,234` where there is room: pass `compact: false`. */
export function count(value: number, compact = true): string {
  return number(value, compact ? { notation: "compact", maximumFractionDigits: 1 } : {});
}

/** Milliseconds, or a date as text. */
export type Moment = number | string | Date;

export function dateTime(at: Moment): string {
  return new Intl.DateTimeFormat(languages.locale, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(at));
}

export function clock(at: Moment): string {
  return new Intl.DateTimeFormat(languages.locale, { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** `3 minutes ago`, `in 2 hours`. */
export function ago(at: Moment, now = Date.now()): string {
  const seconds = Math.round((new Date(at).getTime() - now) / 1000);
  const [unit, size] = steps.find(([, step]) => Math.abs(seconds) >= step) ?? (["second", 1] as const);
  // What lasts a week is not over in six days.
  const whole = seconds > 0 ? Math.round(seconds / size) : Math.trunc(seconds / size);
  return new Intl.RelativeTimeFormat(languages.locale, { numeric: "auto" }).format(whole, unit);
}

/** Short ones with the fractions that tell them apart: `0.034 ms`, `5.1 ms`, `340 ms`. */
export function millis(value: number): string {
  const digits = value < 1 ? 3 : value < 10 ? 1 : 0;
  return number(value, { style: "unit", unit: "millisecond", unitDisplay: "short", maximumFractionDigits: digits });
}

/** A span: `2 d 4 h`, `12 min`, `340 ms`. At most two units. */
export function span(ms: number): string {
  if (ms < 1000) return millis(ms);
  const parts: string[] = [];
  let rest = Math.floor(ms / 1000);
  for (const [unit, size] of steps.slice(3)) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0 && parts.length < 2) parts.push(unitText(whole, unit));
  }
  return parts.join(" ");
}

function unitText(value: number, unit: Intl.RelativeTimeFormatUnit): string {
  return number(value, { style: "unit", unit, unitDisplay: "short" });
}
