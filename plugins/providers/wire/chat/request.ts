/** A normalised model request as an OpenAI chat completions body. */
import { type ContentPart, contentText, type Message, type ModelRequest } from "@chela/sdk";
import type { Quirks } from "../../presets.ts";
import type { ProviderSpec } from "../../settings.ts";
import { withoutOrphans } from "../messages.ts";
import { isStrict, quirksOf, thinksAlways } from "../quirks.ts";
import { levelFields, splitLevel } from "./levels.ts";
import type { ChatParts } from "./reply.ts";
import { ToolTexts } from "./tool-texts.ts";

/** How messages are written for one upstream. */
interface Style {
  readonly strict: boolean;
  readonly quirks: Quirks;
  /** `provider/model`: whose native parts are given back. */
  readonly by: string;
}

export function chatBody(request: ModelRequest, asked: string, spec: ProviderSpec, texts = new ToolTexts()): string {
  const quirks = quirksOf(spec);
  const strict = isStrict(spec, quirks);
  const { model, level } = splitLevel(asked, quirks);
  const maxTokens = request.maxTokens ?? spec.maxTokens;
  const temperature = strict && thinksAlways(model) ? undefined : (request.temperature ?? spec.temperature);
  const style = { strict, quirks, by: `${spec.name}/${asked}` };
  const body = {
    ...levelFields(level, quirks),
    ...request.extra,
    // As text, below.
    ...(request.tools?.length ? { tools: undefined } : {}),
    model,
    messages: chatMessages(withoutOrphans(request.messages), style),
    ...(request.tools?.length && request.toolChoice !== undefined
      ? { tool_choice: toolChoice(request.toolChoice) }
      : {}),
    ...(maxTokens === undefined ? {} : { [strict ? "max_completion_tokens" : "max_tokens"]: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    stream: true,
    ...(spec.usage && !quirks.noStreamOptions
      ? { stream_options: { include_usage: true } }
      : { stream_options: undefined }),
  };
  if (!request.tools?.length) return JSON.stringify(body);
  return `${JSON.stringify(body).slice(0, -1)},"tools":${texts.of(request.tools)}}`;
}

/** Images that tools returned follow their results as a user's message, since few upstreams take them in a result. */
function chatMessages(messages: readonly Message[], style: Style): unknown[] {
  const wire: unknown[] = [];
  let images: ContentPart[] = [];
  const show = (): void => {
    if (images.length > 0) wire.push({ role: "user", content: chatContent(images) });
    images = [];
  };
  for (const message of messages) {
    if (message.role !== "tool") show();
    else if (typeof message.content !== "string" && !style.quirks.toolImages)
      images.push(...message.content.filter((part) => part.type === "image"));
    wire.push(message.role === "tool" ? toolResult(message, style.quirks) : chatMessage(message, style));
  }
  show();
  return wire;
}

function chatMessage(message: Message, style: Style): unknown {
  const content = chatContent(message.content);
  const thoughts = reasoningOf(message, style);
  if (!message.toolCalls?.length) return { role: message.role, content, ...thoughts };
  const { extras } = nativeOf(message, style.by);
  return {
    role: message.role,
    content: message.content === "" ? null : content,
    ...thoughts,
    tool_calls: message.toolCalls.map(({ id, name, arguments: args }) => ({
      id,
      type: "function",
      function: { name, arguments: args },
      ...(extras?.[id] === undefined ? {} : { extra_content: extras[id] }),
    })),
  };
}

/** Models that think between tool calls want their thoughts back; OpenAI refuses the field. */
function reasoningOf(message: Message, { strict, quirks, by }: Style): Record<string, unknown> {
  if (strict || message.role !== "assistant") return {};
  const { reasoningDetails } = nativeOf(message, by);
  const details = reasoningDetails ? { reasoning_details: reasoningDetails } : {};
  const calls = (message.toolCalls?.length ?? 0) > 0;
  if (message.reasoning && (calls || quirks.echoReasoning)) return { reasoning_content: message.reasoning, ...details };
  // A call without its thoughts is refused by those who want them; a history may have lost them.
  return calls && quirks.echoReasoning ? { reasoning_content: "", ...details } : details;
}

function nativeOf({ native }: Message, by: string): Partial<ChatParts> {
  const parts = native?.wire === "chat" ? (native.parts as ChatParts) : undefined;
  return parts?.by === by ? parts : {};
}

function toolResult({ content, toolCallId }: Message, { toolImages }: Quirks): unknown {
  const text = toolImages ? chatContent(content) : contentText(content, "[image, see below]");
  return { role: "tool", tool_call_id: toolCallId, content: text };
}

function chatContent(content: Message["content"]): unknown {
  if (typeof content === "string") return content;
  return content.map((part) =>
    part.type === "text" ? { type: "text", text: part.text } : { type: "image_url", image_url: { url: part.url } },
  );
}

function toolChoice(choice: NonNullable<ModelRequest["toolChoice"]>): unknown {
  return typeof choice === "string" ? choice : { type: "function", function: { name: choice.name } };
}
