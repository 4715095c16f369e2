/** A normalised model request as an OpenAI chat completions body. */
import type { ContentPart, Message, ModelRequest, ToolSpec } from "@chela/sdk";
import type { ProviderSpec } from "../settings.ts";

export function chatBody(request: ModelRequest, model: string, spec: ProviderSpec): string {
  const strict = spec.origin.endsWith(".openai.com");
  const maxTokens = request.maxTokens ?? spec.maxTokens;
  const temperature = request.temperature ?? spec.temperature;
  return JSON.stringify({
    ...request.extra,
    model,
    messages: chatMessages(request.messages, strict),
    ...(request.tools?.length ? { tools: request.tools.map(chatTool) } : {}),
    ...(request.tools?.length && request.toolChoice !== undefined
      ? { tool_choice: toolChoice(request.toolChoice) }
      : {}),
    ...(maxTokens === undefined ? {} : { [strict ? "max_completion_tokens" : "max_tokens"]: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    stream: true,
    ...(spec.usage ? { stream_options: { include_usage: true } } : { stream_options: undefined }),
  });
}

/** Results of calls that no earlier message made are dropped: every upstream refuses them. */
function chatMessages(messages: readonly Message[], strict: boolean): unknown[] {
  const calls = new Set<string>();
  const wire: unknown[] = [];
  for (const message of messages) {
    for (const call of message.toolCalls ?? []) calls.add(call.id);
    if (message.role === "tool" && !calls.has(message.toolCallId ?? "")) continue;
    wire.push(chatMessage(message, strict));
  }
  return wire;
}

function chatMessage(message: Message, strict: boolean): unknown {
  if (message.role === "tool") {
    return { role: "tool", tool_call_id: message.toolCallId, content: plainText(message.content) };
  }
  if (!message.toolCalls?.length) return { role: message.role, content: chatContent(message.content) };
  return {
    role: message.role,
    content: message.content === "" ? null : chatContent(message.content),
    // Models that think between tool calls want their thoughts back; OpenAI refuses the field.
    ...(message.reasoning && !strict ? { reasoning_content: message.reasoning } : {}),
    tool_calls: message.toolCalls.map((call) => ({
      id: call.id,
      type: "function",
      function: { name: call.name, arguments: call.arguments },
    })),
  };
}

function chatContent(content: Message["content"]): unknown {
  if (typeof content === "string") return content;
  return content.map((part) =>
    part.type === "text" ? { type: "text", text: part.text } : { type: "image_url", image_url: { url: part.url } },
  );
}

function plainText(content: string | readonly ContentPart[]): string {
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : "[image]")).join("\n");
}

function chatTool(tool: ToolSpec): unknown {
  return { type: "function", function: { name: tool.name, description: tool.about, parameters: tool.input } };
}

function toolChoice(choice: NonNullable<ModelRequest["toolChoice"]>): unknown {
  return typeof choice === "string" ? choice : { type: "function", function: { name: choice.name } };
}
