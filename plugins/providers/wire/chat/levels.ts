/** `model(level)`: how much a model should think, said in its name, since clients have no other place for it. */
import type { Quirks } from "../../presets.ts";

const budgets: Readonly<Record<string, number>> = {
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 32_768,
};

/** A name in brackets that is no level stays part of the name. */
export function splitLevel(asked: string, { levels }: Quirks): { readonly model: string; readonly level?: string } {
  if (levels === undefined || !asked.endsWith(")")) return { model: asked };
  const [, model, level] = /^(.+)\((none|auto|minimal|low|medium|high|xhigh|max|\d{1,7})\)$/i.exec(asked) ?? [];
  return model === undefined || level === undefined ? { model: asked } : { model, level: level.toLowerCase() };
}

/** The fields that say it to this vendor. */
export function levelFields(level: string | undefined, { levels }: Quirks): Readonly<Record<string, unknown>> {
  if (level === undefined) return {};
  const off = level === "none" || level === "0";
  if (levels === "kimi") return { thinking: { type: off ? "disabled" : "enabled" } };
  if (levels === "qwen") {
    const budget = /^\d+$/.test(level) ? Number(level) : budgets[level];
    return { enable_thinking: !off, ...(off || budget === undefined ? {} : { thinking_budget: budget }) };
  }
  return level === "auto" ? {} : { reasoning_effort: /^\d+$/.test(level) ? nearest(Number(level)) : level };
}

function nearest(budget: number): string {
  if (budget === 0) return "none";
  return Object.keys(budgets).find((name) => (budgets[name] as number) >= budget) ?? "xhigh";
}
