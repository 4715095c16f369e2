/** A normalised model request as a generateContent body. */
import { type ModelRequest, objectOf } from "@chela/sdk";
import type { ProviderSpec } from "../../settings.ts";
import { splitSystem, wellFormed } from "../messages.ts";
import { expectServed } from "../unserved.ts";
import { contents } from "./contents.ts";
import { generation, modelName } from "./places.ts";
import { geminiSchema } from "./schema.ts";

type Fields = Readonly<Record<string, unknown>>;

export function geminiBody(request: ModelRequest, model: string, spec: ProviderSpec): string {
  const { extra = {} } = request;
  expectServed(request, `${spec.name}/${model}`, ["logit_bias", "response_format"]);
  return JSON.stringify({
    ...prompt(request, model, spec),
    generationConfig: generationConfig(request, model, spec),
    ...(Array.isArray(extra.safetySettings) ? { safetySettings: extra.safetySettings } : {}),
  });
}

export function countBody(request: ModelRequest, model: string, spec: ProviderSpec): string {
  return JSON.stringify({ generateContentRequest: { model: modelName(model), ...prompt(request, model, spec) } });
}

function prompt(request: ModelRequest, model: string, spec: ProviderSpec): Record<string, unknown> {
  const { system, rest } = splitSystem(request.messages);
  const tools = request.tools?.map(({ name, about, input }) => {
    const parameters = geminiSchema(input);
    return { name, description: about, ...(parameters ? { parameters } : {}) };
  });
  return {
    ...(system === "" ? {} : { systemInstruction: { parts: [{ text: system }] } }),
    contents: contents(wellFormed(rest, request.tools), `${spec.name}/${model}`, generation(model)),
    ...(tools?.length ? { tools: [{ functionDeclarations: tools }] } : {}),
    ...(tools?.length && request.toolChoice !== undefined
      ? { toolConfig: { functionCallingConfig: callingConfig(request.toolChoice) } }
      : {}),
  };
}

function callingConfig(choice: NonNullable<ModelRequest["toolChoice"]>): unknown {
  if (typeof choice !== "string") return { mode: "ANY", allowedFunctionNames: [choice.name] };
  return { mode: { auto: "AUTO", none: "NONE", required: "ANY" }[choice] };
}

/** OpenAI's names of what this API knows under its own. */
const renamed: Readonly<Record<string, string>> = {
  top_p: "topP",
  top_k: "topK",
  seed: "seed",
  presence_penalty: "presencePenalty",
  frequency_penalty: "frequencyPenalty",
};

function generationConfig(request: ModelRequest, model: string, spec: ProviderSpec): Record<string, unknown> {
  const { extra = {} } = request;
  const maxTokens = request.maxTokens ?? spec.maxTokens;
  const temperature = request.temperature ?? spec.temperature;
  const stops = (Array.isArray(extra.stop) ? extra.stop : [extra.stop]).filter((text) => typeof text === "string");
  const numbers = Object.entries(renamed).flatMap(([theirs, ours]) =>
    typeof extra[theirs] === "number" ? [[ours, extra[theirs]]] : [],
  );
  return {
    ...(Object.fromEntries(numbers) as Record<string, unknown>),
    ...(maxTokens === undefined ? {} : { maxOutputTokens: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(stops.length === 0 ? {} : { stopSequences: stops }),
    ...responseFormat(extra.response_format),
    ...thinking(extra, model),
  };
}

function responseFormat(wanted: unknown): Record<string, unknown> {
  const { type, json_schema: described } = objectOf(wanted);
  if (type !== "json_object" && type !== "json_schema") return {};
  const schema = type === "json_schema" ? geminiSchema(objectOf(objectOf(described).schema)) : undefined;
  return { responseMimeType: "application/json", ...(schema ? { responseSchema: schema } : {}) };
}

const budgets: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
};

/** Thoughts are asked for where there are any; older models refuse the question. */
function thinking(extra: Fields, model: string): Record<string, unknown> {
  if (typeof extra.thinkingConfig === "object" && extra.thinkingConfig !== null)
    return { thinkingConfig: extra.thinkingConfig };
  const kind = generation(model);
  if (kind < 2.5) return {};
  const level = extra.reasoning_effort ?? objectOf(extra.reasoning).effort;
  const budget = typeof level === "string" ? budgets[level] : undefined;
  if (budget === undefined) return { thinkingConfig: { includeThoughts: true } };
  if (kind < 3) return { thinkingConfig: { includeThoughts: budget > 0, thinkingBudget: budget } };
  const thinkingLevel = budget <= 512 ? "minimal" : budget > 8192 ? "high" : level;
  return { thinkingConfig: { includeThoughts: budget > 0, thinkingLevel } };
}
