/** How much a model should think, and in which form it should answer: OpenAI's words for it, in Anthropic's. */
import { objectOf } from "@chela/sdk";
import { thinkingOf } from "./models.ts";

type Fields = Readonly<Record<string, unknown>>;

const budgets: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
};
const efforts: Readonly<Record<string, string>> = {
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "xhigh",
  max: "max",
};

/** `thinking`, `output_config` and, where it has to be larger for them, `max_tokens`. */
export function thinkingFields(extra: Fields, model: string, maxTokens: number): Record<string, unknown> {
  const own = objectOf(extra.output_config);
  const format = formatOf(extra.response_format);
  const asked = levelFields(extra, model, maxTokens);
  const config = { ...own, ...objectOf(asked.output_config), ...(format ? { format } : {}) };
  return { ...asked, ...(Object.keys(config).length > 0 ? { output_config: config } : {}) };
}

function levelFields(extra: Fields, model: string, maxTokens: number): Record<string, unknown> {
  if (typeof extra.thinking === "object" && extra.thinking !== null) return { thinking: extra.thinking };
  const level = extra.reasoning_effort ?? objectOf(extra.reasoning).effort;
  if (typeof level !== "string" || level === "none") return {};
  const kind = thinkingOf(model);
  if (kind === "adaptive") {
    const effort = efforts[level];
    return {
      thinking: { type: "adaptive", display: "summarized" },
      ...(effort === undefined ? {} : { output_config: { effort } }),
    };
  }
  const budget = budgets[level];
  if (kind === "none" || budget === undefined) return {};
  return { thinking: { type: "enabled", budget_tokens: budget }, max_tokens: Math.max(maxTokens, budget + 4096) };
}

function formatOf(wanted: unknown): Fields | undefined {
  const { type, json_schema: described } = objectOf(wanted);
  if (type !== "json_schema") return undefined;
  return { type: "json_schema", schema: objectOf(described).schema ?? {} };
}
