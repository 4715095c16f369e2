/**
 * The built-in `offline/offline` model: no intelligence, a fixed script that answers without a key and without a network, so that
 * everything else can be tried and tested. The same conversation always gives the same answer.
 */
import { cutText, GatewayError, type Message, type ToolCall } from "@chela/sdk";
import { nextStep, textOf } from "./steps.ts";

/** What the script decided to say. `pauseMs` is spread over the words. */
export interface Line {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly pauseMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

const howTo = "chela provider configure openai";
const maxPauseMs = 600_000;

export function answer(messages: readonly Message[], tools: readonly string[]): Line {
  const asked = messages.findLast((message) => message.role === "user");
  const text = textOf(asked).trim();
  const last = messages.at(-1);
  const [, command = "", rest = ""] = /^\/(tool|fail|slow|echo|json|loop)(?![a-z])\s*([\s\S]*)$/.exec(text) ?? [];
  const line = (reply: string, { calls = [], pauseMs = 0 }: Partial<Line> = {}): Line => ({
    text: reply,
    pauseMs,
    calls,
    inputTokens: tokens(messages.map(textOf).join(" ")),
    outputTokens: tokens(reply) + tokens(calls.map((call) => call.arguments).join("")),
  });
  const step = nextStep(messages, tools);
  if (step) return line(step.text, { calls: step.calls });
  if (command === "loop" && tools.length > 0) return toolLine(rest, tools, messages.length, line);
  if (last?.role === "tool") return line(summary(messages));
  if (text.startsWith(summaryMark)) return line(summedUp(text));
  if (command === "fail") throw failure(rest);
  if (command === "tool") return toolLine(rest, tools, messages.length, line);
  if (command === "echo") return line(rest);
  if (command === "json") return line(JSON.stringify({ model: "offline", said: rest, messages: messages.length }));
  if (command === "slow") {
    const ms = Math.min(Number.parseInt(rest, 10) || 2000, maxPauseMs);
    return line(`This reply of the offline model was spread over ${ms} milliseconds, word by word.`, { pauseMs: ms });
  }
  return line(introduction(text));
}

/** The text in pieces of one word each; joined they are the text again. */
export function words(text: string): readonly string[] {
  return text.match(/\s*\S+\s*$|\s*\S+/g) ?? (text === "" ? [] : [text]);
}

function introduction(text: string): string {
  const said = text === "" ? "" : ` You said: "${cutText(text, 500, "…")}".`;
  const english =
    `I am Chela's built-in offline model: a fixed script, not a language model. I need no key and no network.${said}` +
    ` For real answers, configure a provider (${howTo}).` +
    " To try things with me: /tool NAME {json}, /steps, /echo TEXT, /json, /slow MS, /fail STATUS.";
  if (!/\p{Script=Han}/u.test(text)) return english;
  return (
    `${english}\n我是 Chela 内置的离线模型：只是一段固定脚本，不是语言模型，不需要密钥和网络。` +
    `要得到真正的回答，请配置模型服务商（${howTo}）。可以这样试用我：/tool 工具名 {json}、/steps、/echo 文字、/json、/slow 毫秒、/fail 状态码。`
  );
}

function toolLine(
  rest: string,
  tools: readonly string[],
  turn: number,
  line: (text: string, more?: Pick<Line, "calls">) => Line,
): Line {
  const [, name = "", args = ""] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
  if (!tools.includes(name)) {
    return line(`The tool "${name}" is not offered here. Offered: ${tools.length > 0 ? tools.join(", ") : "none"}.`);
  }
  return line("", { calls: [{ id: `call_offline_${turn}`, name, arguments: args.trim() || "{}" }] });
}

/** The results after the last request for tools, each under the tool's name. */
function summary(messages: readonly Message[]): string {
  const from = messages.findLastIndex((message) => message.role === "assistant");
  const names = new Map(messages[from]?.toolCalls?.map((call) => [call.id, call.name]));
  const results = messages.slice(from + 1).filter((message) => message.role === "tool");
  return results
    .map((result) => `The tool ${names.get(result.toolCallId ?? "") ?? ""} answered: ${textOf(result)}`)
    .join("\n");
}

function failure(rest: string): GatewayError {
  const asked = Number.parseInt(rest, 10) || 500;
  const status = asked >= 400 && asked <= 599 ? asked : 500;
  const message = `offline/offline answered ${status}: it was told to fail.`;
  const upstream = {
    message: "The offline model was told to fail.",
    type: status < 500 ? "invalid_request_error" : "server_error",
  };
  if (status === 429)
    return new GatewayError(
      "UPSTREAM_RATE",
      429,
      message,
      { upstreamStatus: 429, upstream, retryAfter: 1, retryAfterMs: 1000 },
      { headers: { "retry-after": "1" } },
    );
  if (status === 401 || status === 403)
    return new GatewayError("UPSTREAM_AUTH", status, message, { upstreamStatus: status, upstream });
  if (status < 500) return new GatewayError("UPSTREAM_REQUEST", status, message, { upstreamStatus: status, upstream });
  return new GatewayError("UPSTREAM_FAULT", 502, message, { upstreamStatus: status, upstream });
}

/** What the gateway's request for a summary begins with. */
const summaryMark = "# Conversation to sum up";

/** What people said, one line each: no thought, but nothing that was not there. */
function summedUp(text: string): string {
  const lines = text.split("\n");
  const facts = lines.filter((line) => line.startsWith("- said: ")).slice(-20);
  const said = lines.filter((line) => line.startsWith("user: ")).map((line) => `- said: ${line.slice(6, 206)}`);
  return `## Key Facts\n\n${[...facts, ...said].slice(-40).join("\n")}\n\n## Decisions\n\n## Open Items\n\n## Next Steps`;
}

/** Four characters to a token: an estimate that never changes. */
function tokens(text: string): number {
  return Math.ceil(text.length / 4);
}
