/** The Messages API, simulated: strict about what it is asked, scripted in what it answers. */
import type { Asked, Body, Encoded, Turn, Vendor, Verdict } from "../vendor/server.ts";
import { listOf, piecesOf, startVendor } from "../vendor/server.ts";
import { complaint, type Issued, versions } from "./check.ts";

const types: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
};

export interface AnthropicOptions {
  readonly key?: string;
  /** A login's token, taken as bearer with the header of its time. */
  readonly token?: string;
}

export async function startAnthropic({ key = "sk-ant-sim", token }: AnthropicOptions = {}): Promise<Vendor> {
  const issued: Issued = { signatures: new Set(), thoughtful: new Set() };
  let replies = 0;
  return startVendor((asked) => {
    if (!allowed(asked, key, token)) return refuse(401, "invalid x-api-key");
    if (!versions.includes(String(asked.headers["anthropic-version"])))
      return refuse(400, "anthropic-version: header is required");
    if (asked.path === "/v1/models") return { reply: page(asked) };
    const counts = asked.path === "/v1/messages/count_tokens";
    if (!counts && asked.path !== "/v1/messages") return refuse(404, `no ${asked.path}`);
    const wrong = complaint(counts ? { ...asked, body: { ...asked.body, max_tokens: 1 } } : asked, issued);
    if (wrong !== undefined) return refuse(400, wrong);
    if (counts) return { reply: { input_tokens: JSON.stringify(asked.body).length } };
    replies += 1;
    return {
      stream: asked.body.stream === true,
      encode: (turn) => encode(turn, asked.body, { issued, number: replies }),
    };
  });
}

function allowed({ headers }: Asked, key: string, token: string | undefined): boolean {
  if (headers["x-api-key"] !== undefined) return headers["x-api-key"] === key && headers.authorization === undefined;
  if (token !== undefined && headers.authorization === `Bearer ${token}`)
    return String(headers["anthropic-beta"]).includes("oauth-2025-04-20");
  return headers.authorization === `Bearer ${key}`;
}

function refuse(status: number, message: string): Verdict {
  return { refuse: { status, body: errorBody(status, { message }) } };
}

function errorBody(status: number, told: Body): unknown {
  return { type: "error", error: { type: types[status] ?? "api_error", ...told }, request_id: "req_sim" };
}

/** Two pages of one model each. */
function page({ query }: Asked): unknown {
  const second = query.get("after_id") === "claude-sim-1";
  const id = second ? "claude-sim-2" : "claude-sim-1";
  return {
    data: [{ type: "model", id, display_name: id, created_at: "2026-01-01T00:00:00Z" }],
    has_more: !second,
    first_id: id,
    last_id: id,
  };
}

function echo(body: Body): string {
  const { content } = listOf(body.messages).at(-1) as Body;
  const blocks = typeof content === "string" ? [{ type: "text", text: content }] : listOf(content);
  return `echo: ${blocks.map((block) => (block.type === "text" ? String(block.text) : `[${block.type}]`)).join(" ")}`;
}

interface Context {
  readonly issued: Issued;
  readonly number: number;
}

function encode(turn: Turn, body: Body, context: Context): Encoded {
  const blocks = blocksOf(turn, body, context);
  const stop = turn.stop ?? (turn.calls ? "tool_use" : "end_turn");
  const usage = {
    input_tokens: 10,
    output_tokens: 5,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    ...turn.usage,
  };
  const head = {
    id: `msg_${context.number}`,
    type: "message",
    role: "assistant",
    model: body.model,
    stop_sequence: null,
  };
  const { output_tokens: _, ...atStart } = usage as Body;
  const start = { ...head, content: [], stop_reason: null, usage: { ...atStart, output_tokens: 1 } };
  return {
    whole: { ...head, content: blocks, stop_reason: stop, usage },
    events: [
      event("message_start", { message: start }),
      event("ping", {}),
      ...blocks.flatMap((block, index) => blockEvents(block, index, turn)),
      event("message_delta", {
        delta: { stop_reason: stop, stop_sequence: null },
        usage: {
          output_tokens: usage.output_tokens,
          output_tokens_details: (usage as Body).output_tokens_details ?? null,
        },
      }),
      event("message_stop", {}),
    ],
    errorEvent: event("error", { error: turn.error ?? { type: "overloaded_error", message: "Overloaded" } }),
    error: errorBody,
  };
}

function blocksOf(turn: Turn, body: Body, { issued, number }: Context): readonly Body[] {
  const signature = `sig-${number}-${Buffer.from(turn.reasoning ?? "").toString("base64")}`;
  const thoughts = turn.reasoning === undefined ? [] : [{ type: "thinking", thinking: turn.reasoning, signature }];
  if (thoughts.length > 0) issued.signatures.add(signature);
  const text = turn.text ?? turn.pieces?.join("") ?? (turn.calls ? "" : echo(body));
  const calls = (turn.calls ?? []).map(({ name, args }, index) => ({
    type: "tool_use",
    id: `toolu_${number}_${index}`,
    name,
    input: args,
  }));
  if (thoughts.length > 0) for (const { id } of calls) issued.thoughtful.add(id);
  return [...thoughts, ...(text === "" ? [] : [{ type: "text", text, citations: null }]), ...calls];
}

function blockEvents(block: Body, index: number, turn: Turn): readonly string[] {
  const start = (content: Body): string => event("content_block_start", { index, content_block: content });
  const delta = (one: Body): string => event("content_block_delta", { index, delta: one });
  const stop = event("content_block_stop", { index });
  if (block.type === "text") {
    const pieces = piecesOf({ ...turn, text: String(block.text) });
    return [start({ type: "text", text: "" }), ...pieces.map((text) => delta({ type: "text_delta", text })), stop];
  }
  if (block.type === "thinking") {
    return [
      start({ type: "thinking", thinking: "", signature: "" }),
      delta({ type: "thinking_delta", thinking: block.thinking }),
      delta({ type: "signature_delta", signature: block.signature }),
      stop,
    ];
  }
  const json = Object.keys(block.input as Body).length === 0 ? "" : JSON.stringify(block.input);
  const half = Math.ceil(json.length / 2);
  const parts = ["", json.slice(0, half), json.slice(half)];
  return [
    start({ ...block, input: {} }),
    ...parts.map((partial_json) => delta({ type: "input_json_delta", partial_json })),
    stop,
  ];
}

function event(type: string, data: Body): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}
