/** What the Messages API refuses, in its words. The first complaint is the answer; undefined means the request is good. */
import { type Asked, type Body, listOf, unknownKeys } from "../vendor/server.ts";

export const versions = ["2023-06-01", "2026-10-21"];
const fields = [
  "model",
  "messages",
  "max_tokens",
  "system",
  "tools",
  "tool_choice",
  "metadata",
  "stop_sequences",
  "stream",
  "thinking",
  "output_config",
  "service_tier",
  "temperature",
  "top_p",
  "top_k",
  "cache_control",
];

/** Signatures that were given out, and calls that came with thoughts: both must come back together. */
export interface Issued {
  readonly signatures: Set<string>;
  readonly thoughtful: Set<string>;
}

export function complaint({ body, headers }: Asked, issued: Issued): string | undefined {
  const [extra] = unknownKeys(body, fields);
  if (extra !== undefined) return `${extra}: Extra inputs are not permitted`;
  if (typeof body.model !== "string") return "model: Field required";
  const { max_tokens: max } = body;
  if (!Number.isInteger(max) || (max as number) < 1) return "max_tokens: Field required";
  return (
    sampling(body, String(headers["anthropic-version"])) ??
    thinking(body) ??
    tools(body) ??
    messages(body, issued) ??
    breakpoints(body)
  );
}

function sampling(body: Body, version: string): string | undefined {
  const sent = ["temperature", "top_p", "top_k"].filter((key) => body[key] !== undefined);
  if (sent.length > 0 && version === "2026-10-21") return `${sent[0]}: Extra inputs are not permitted`;
  if (sent.includes("temperature") && body.thinking)
    return "`temperature` may only be set to 1 when thinking is enabled.";
  return Number(body.temperature ?? 0) > 1 ? "temperature: range: 0..1" : undefined;
}

function thinking({ thinking: wanted, max_tokens: max, model, tool_choice: choice }: Body): string | undefined {
  if (wanted === undefined) return undefined;
  const { type, budget_tokens: budget } = wanted as Body;
  if (type === "enabled" && /[a-z]-(?:5|4-[6-9])/.test(String(model)))
    return '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".';
  if (type === "enabled" && (Number(budget) < 1024 || Number(budget) >= Number(max)))
    return "`max_tokens` must be greater than `thinking.budget_tokens`.";
  if (type === "adaptive" && /3-\d|4-[0-5]/.test(String(model)))
    return "adaptive thinking is not supported on this model";
  const forced = ["any", "tool"].includes(String((choice as Body | undefined)?.type));
  return forced ? "Thinking may not be enabled when tool_choice forces tool use." : undefined;
}

function tools({ tools: list, tool_choice: choice }: Body): string | undefined {
  if (choice !== undefined && list === undefined) return "tool_choice may only be specified while providing tools.";
  const names = listOf(list).map(({ name }) => String(name));
  if (new Set(names).size < names.length) return "tools: Tool names must be unique.";
  for (const [index, tool] of listOf(list).entries()) {
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(String(tool.name)))
      return `tools.${index}.custom.name: String should match pattern`;
    const schema = tool.input_schema as Body | undefined;
    if (schema?.type !== "object") return `tools.${index}.custom.input_schema.type: Field required`;
    if (schema.anyOf || schema.oneOf || schema.allOf)
      return `tools.${index}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`;
  }
  return undefined;
}

function messages({ messages: list, tools: known }: Body, issued: Issued): string | undefined {
  const all = listOf(list);
  if (all.length === 0) return "messages: at least one message is required";
  if (all[0]?.role !== "user") return 'messages: first message must use the "user" role';
  if (all.at(-1)?.role !== "user") return "This model does not support assistant message prefill.";
  let open: readonly unknown[] = [];
  const used = new Set<unknown>();
  // Thoughts of turns that are over may be left out.
  const current = all.findLastIndex(
    (one) => one.role === "user" && !JSON.stringify(one.content).includes('"tool_result"'),
  );
  for (const [index, { role, content }] of all.entries()) {
    if (role !== "user" && role !== "assistant") return `messages.${index}.role: Input should be 'user' or 'assistant'`;
    if (all[index - 1]?.role === role) return 'messages: roles must alternate between "user" and "assistant"';
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : listOf(content);
    if (blocks.length === 0) return `messages.${index}: all messages must have non-empty content`;
    const wrong = answers(blocks, open, index) ?? blocks.map((block) => refusal(block, role, issued)).find(Boolean);
    if (wrong) return `messages.${index}: ${wrong}`;
    const calls = blocks.filter(({ type }) => type === "tool_use");
    if (calls.length > 0 && known === undefined) return "Requests which include `tool_use` blocks must define tools";
    if (
      index > current &&
      calls.some(({ id }) => issued.thoughtful.has(String(id))) &&
      !/thinking$/.test(String(blocks[0]?.type))
    )
      return `messages.${index}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${blocks[0]?.type}\`.`;
    open = calls.map(({ id }) => id);
    for (const id of open) {
      if (used.has(id)) return `messages.${index}: \`tool_use\` ids must be unique`;
      used.add(id);
    }
  }
  return undefined;
}

/** Every call of the message before is answered, once, before anything else is said. */
function answers(blocks: readonly Body[], open: readonly unknown[], index: number): string | undefined {
  const results = blocks.filter(({ type }) => type === "tool_result").map((block) => block.tool_use_id);
  if (new Set(results).size < results.length) return "each tool_use must have a single result";
  const missing = open.find((id) => !results.includes(id));
  if (missing !== undefined)
    return `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing}`;
  const stray = results.find((id) => !open.includes(id));
  if (stray !== undefined) return `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray} (${index})`;
  const late = blocks.findIndex(({ type }) => type !== "tool_result");
  return late >= 0 && late < results.length ? "tool_result blocks must come first" : undefined;
}

function refusal(block: Body, role: unknown, { signatures }: Issued): string | undefined {
  switch (block.type) {
    case "text":
      return String(block.text).trim() === "" ? "text content blocks must be non-empty" : undefined;
    case "image":
      return image(block.source as Body);
    case "tool_use":
      if (role !== "assistant") return "`tool_use` blocks can only be in `assistant` messages";
      if (!/^[a-zA-Z0-9_-]+$/.test(String(block.id))) return "tool_use.id: String should match pattern";
      if (!/^[a-zA-Z0-9_-]{1,128}$/.test(String(block.name))) return "tool_use.name: String should match pattern";
      return typeof block.input === "object" ? undefined : "tool_use.input: Input should be an object";
    case "tool_result":
      return role === "user" ? undefined : "`tool_result` blocks can only be in `user` messages";
    case "thinking":
      return signatures.has(String(block.signature)) ? undefined : "Invalid `signature` in `thinking` block";
    case "redacted_thinking":
      return signatures.has(String(block.data)) ? undefined : "Invalid `data` in `redacted_thinking` block";
    default:
      return `Input tag '${block.type}' found using 'type' does not match any of the expected tags`;
  }
}

function image({ type, media_type: media, data, url }: Body): string | undefined {
  if (type === "url") return /^https?:/.test(String(url)) ? undefined : "Only HTTP(S) URLs are supported";
  if (!["image/jpeg", "image/png", "image/gif", "image/webp"].includes(String(media))) return "image.source.media_type";
  return /^[A-Za-z0-9+/]+=*$/.test(String(data)) ? undefined : "image.source.base64: invalid base64 data";
}

function breakpoints(body: Body): string | undefined {
  const found = JSON.stringify(body).split('"cache_control"').length - 1;
  return found > 4 ? `A maximum of 4 blocks with cache_control may be provided. Found ${found}.` : undefined;
}
