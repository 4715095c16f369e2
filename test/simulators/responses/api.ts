/** OpenAI's Responses API, simulated: strict about what it is asked, scripted in what it answers. */
import type { Body, Encoded, Turn, Vendor, Verdict } from "../vendor/server.ts";
import { listOf, piecesOf, startVendor } from "../vendor/server.ts";
import { complaint } from "./check.ts";

export async function startResponses({ key = "sk-sim" } = {}): Promise<Vendor> {
  const sealed = new Set<string>();
  let replies = 0;
  return startVendor(({ headers, path, body }) => {
    if (headers.authorization !== `Bearer ${key}`)
      return refuse(401, { message: "Incorrect API key provided", code: "invalid_api_key" });
    if (path === "/v1/models")
      return {
        reply: {
          object: "list",
          data: [
            { id: "gpt-sim", object: "model" },
            { id: "gpt-5-sim", object: "model" },
          ],
        },
      };
    if (path !== "/v1/responses") return refuse(404, { message: `Invalid URL (POST ${path})` });
    const wrong = complaint(body, sealed);
    if (wrong !== undefined) return refuse(400, { message: wrong });
    replies += 1;
    return { stream: body.stream === true, encode: (turn) => encode(turn, body, { sealed, number: replies }) };
  });
}

function refuse(status: number, told: Body): Verdict {
  return { refuse: { status, body: errorBody(status, told) } };
}

function errorBody(status: number, told: Body): unknown {
  const type = status === 429 ? "rate_limit_error" : status >= 500 ? "server_error" : "invalid_request_error";
  return { error: { type, param: null, code: null, ...told } };
}

function echo({ input }: Body): string {
  if (typeof input === "string") return `echo: ${input}`;
  const last = listOf(input).at(-1) ?? {};
  const content = last.content ?? last.output;
  if (typeof content === "string") return `echo: ${content}`;
  return `echo: ${listOf(content)
    .map((part) => (typeof part.text === "string" ? part.text : `[${part.type}]`))
    .join(" ")}`;
}

interface Context {
  readonly sealed: Set<string>;
  readonly number: number;
}

function encode(turn: Turn, body: Body, context: Context): Encoded {
  const output = itemsOf(turn, body, context);
  const incomplete = turn.stop !== undefined && turn.stop !== "failed";
  const usage = {
    input_tokens: 10,
    output_tokens: 5,
    total_tokens: 15,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
    ...turn.usage,
  };
  const head = {
    id: `resp_${context.number}`,
    object: "response",
    created_at: 1_700_000_000,
    model: body.model,
    error: null,
    instructions: null,
    parallel_tool_calls: true,
    tools: [],
    tool_choice: "auto",
    metadata: {},
  };
  const failed = turn.stop === "failed";
  const status = failed ? "failed" : incomplete ? "incomplete" : "completed";
  const error = failed ? (turn.error ?? { code: "server_error", message: "The server had an error" }) : null;
  const whole = {
    ...head,
    status,
    output,
    usage: failed ? null : usage,
    error,
    incomplete_details: incomplete ? { reason: turn.stop } : null,
  };
  const made: Body[] = [
    { type: "response.created", response: { ...head, status: "in_progress", output: [], usage: null } },
    { type: "response.in_progress", response: { ...head, status: "in_progress", output: [], usage: null } },
    ...output.flatMap((item, at) => itemEvents(item, at, turn)),
    { type: `response.${status}`, response: whole },
  ];
  return {
    whole,
    events: made.map((one, sequence_number) => event({ ...one, sequence_number })),
    errorEvent: event({
      type: "error",
      code: "server_error",
      message: "The server had an error",
      param: null,
      sequence_number: 99,
      ...turn.error,
    }),
    error: errorBody,
  };
}

function itemsOf(turn: Turn, body: Body, { sealed, number }: Context): readonly Body[] {
  const seal = `sealed-${number}`;
  const included = listOf(body.include).some((one: unknown) => one === "reasoning.encrypted_content");
  const thoughts =
    turn.reasoning === undefined
      ? []
      : [
          {
            id: `rs_${number}`,
            type: "reasoning",
            summary: [{ type: "summary_text", text: turn.reasoning }],
            ...(included ? { encrypted_content: seal } : {}),
          },
        ];
  if (included && thoughts.length > 0) sealed.add(seal);
  const text = turn.text ?? turn.pieces?.join("") ?? (turn.calls ? "" : echo(body));
  const message = {
    id: `msg_${number}`,
    type: "message",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text, annotations: [] }],
  };
  const calls = (turn.calls ?? []).map(({ name, args }, index) => ({
    id: `fc_${number}_${index}`,
    type: "function_call",
    status: "completed",
    call_id: `call_${number}_${index}`,
    name,
    arguments: JSON.stringify(args),
  }));
  return [...thoughts, ...(text === "" ? [] : [message]), ...calls];
}

function itemEvents(item: Body, output_index: number, turn: Turn): readonly Body[] {
  const place = { output_index, item_id: item.id };
  const added = (started: Body): Body => ({
    type: "response.output_item.added",
    output_index,
    item: { ...item, ...started },
  });
  const done = { type: "response.output_item.done", output_index, item };
  if (item.type === "reasoning") {
    const [summary] = listOf(item.summary);
    const at = { ...place, summary_index: 0 };
    return [
      added({ summary: [] }),
      { type: "response.reasoning_summary_part.added", ...at, part: { type: "summary_text", text: "" } },
      { type: "response.reasoning_summary_text.delta", ...at, delta: summary?.text },
      { type: "response.reasoning_summary_text.done", ...at, text: summary?.text },
      { type: "response.reasoning_summary_part.done", ...at, part: summary },
      done,
    ];
  }
  if (item.type === "message") {
    const [part] = listOf(item.content);
    const at = { ...place, content_index: 0 };
    const pieces = piecesOf({ ...turn, text: String(part?.text) });
    return [
      added({ status: "in_progress", content: [] }),
      { type: "response.content_part.added", ...at, part: { ...part, text: "" } },
      ...pieces.map((delta) => ({ type: "response.output_text.delta", ...at, delta, logprobs: [] })),
      { type: "response.output_text.done", ...at, text: part?.text, logprobs: [] },
      { type: "response.content_part.done", ...at, part },
      done,
    ];
  }
  const text = String(item.arguments);
  const half = Math.ceil(text.length / 2);
  return [
    added({ status: "in_progress", arguments: "" }),
    { type: "response.function_call_arguments.delta", ...place, delta: text.slice(0, half) },
    { type: "response.function_call_arguments.delta", ...place, delta: text.slice(half) },
    { type: "response.function_call_arguments.done", ...place, arguments: text, name: item.name },
    done,
  ];
}

function event(data: Body): string {
  return `event: ${String(data.type)}\ndata: ${JSON.stringify(data)}\n\n`;
}
