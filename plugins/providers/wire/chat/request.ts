/** A normalised model request as an OpenAI chat completions body. */
import { type ContentPart, contentText, type Message, type ModelRequest } from "@chela/sdk";
import type { Quirks } from "../../presets.ts";
import type { ProviderSpec } from "../../settings.ts";
import { argumentsText, type CallIds, wellFormed, withCallIds } from "../messages.ts";
import { isStrict, quirksOf, thinksAlways } from "../quirks.ts";
import { withoutPages } from "../relay/page-fields.ts";
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

interface WireMessage extends Readonly<Record<string, unknown>> {
  readonly role: Message["role"];
}

/** What the assistant says where it has to speak before a user may. */
const bridge = "I have the results.";

export function chatBody(request: ModelRequest, asked: string, spec: ProviderSpec, texts = new ToolTexts()): string {
  const quirks = quirksOf(spec);
  const strict = isStrict(spec, quirks);
  const { model, level } = splitLevel(asked, quirks);
  const maxTokens = request.maxTokens ?? spec.maxTokens;
  const hasOwnHeat = quirks.ownHeat?.test(model) || (strict && thinksAlways(model));
  const temperature = hasOwnHeat ? undefined : (request.temperature ?? spec.temperature);
  const style = { strict, quirks, by: `${spec.name}/${asked}` };
  const body = {
    ...levelFields(level, quirks),
    ...withoutPages(request.extra),
    // As text, below.
    ...(request.tools?.length ? { tools: undefined } : {}),
    model,
    messages: chatMessages(withCallIds(wellFormed(request.messages, request.tools), callIds(style)), style),
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
function chatMessages(messages: readonly Message[], style: Style): WireMessage[] {
  const wire: WireMessage[] = [];
  let images: ContentPart[] = [];
  const add = (message: WireMessage): void => {
    const isEarly = style.quirks.strictCalls && wire.at(-1)?.role === "tool" && /user|system/.test(message.role);
    if (isEarly) wire.push({ role: "assistant", content: bridge });
    wire.push(message);
  };
  const show = (): void => {
    if (images.length > 0) add({ role: "user", content: chatContent(images) });
    images = [];
  };
  for (const message of messages) {
    if (isSilent(message)) continue;
    if (message.role !== "tool") show();
    else if (typeof message.content !== "string" && !style.quirks.toolImages)
      images.push(...message.content.filter((part) => part.type === "image"));
    add(message.role === "tool" ? toolResult(message, style.quirks) : chatMessage(message, style));
  }
  show();
  return wire;
}

/** Some vendors refuse an assistant who says nothing. */
function isSilent({ role, content, toolCalls }: Message): boolean {
  const isEmpty = typeof content === "string" ? content.trim() === "" : content.length === 0;
  return role === "assistant" && isEmpty && !toolCalls?.length;
}

function chatMessage(message: Message, style: Style): WireMessage {
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
      function: { name, arguments: argumentsText(args) },
      ...(extras?.[id] === undefined ? {} : { extra_content: extras[id] }),
    })),
  };
}

function callIds({ strict, quirks }: Style): CallIds | undefined {
  if (quirks.strictCalls) return { fits: /^[a-zA-Z0-9]{9}$/, length: 9 };
  return strict ? { fits: /^.{1,40}$/s, length: 40 } : undefined;
}

/** Models that think between tool calls want their thoughts back; OpenAI refuses the field. */
function reasoningOf(message: Message, { strict, quirks, by }: Style): Record<string, unknown> {
  if (strict || quirks.thoughts === "none" || message.role !== "assistant") return {};
  const { reasoningDetails } = nativeOf(message, by);
  const details = reasoningDetails ? { reasoning_details: reasoningDetails } : {};
  const calls = (message.toolCalls?.length ?? 0) > 0;
  if (message.reasoning && (calls || quirks.echoReasoning))
    return { [quirks.thoughts ?? "reasoning_content"]: message.reasoning, ...details };
  // A call without its thoughts is refused by those who want them; a history may have lost them.
  return calls && quirks.echoReasoning ? { reasoning_content: "", ...details } : details;
}

function nativeOf({ native }: Message, by: string): Partial<ChatParts> {
  const parts = native?.wire === "chat" ? (native.parts as ChatParts) : undefined;
  return parts?.by === by ? parts : {};
}

function toolResult({ content, toolCallId }: Message, { toolImages }: Quirks): WireMessage {
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
