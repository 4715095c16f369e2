/** Google's generateContent, simulated: strict about what it is asked, scripted in what it answers. */
import type { Asked, Body, Encoded, Turn, Vendor, Verdict } from "../vendor/server.ts";
import { listOf, piecesOf, startVendor } from "../vendor/server.ts";
import { complaint } from "./check.ts";

const states: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};

export interface GeminiOptions {
  readonly key?: string;
  /** A login's token. */
  readonly token?: string;
  /** Nobody is asked for a key, as in a page behind a login. */
  readonly open?: boolean;
  /** Calls carry ids of their own. */
  readonly ids?: boolean;
}

export async function startGemini(options: GeminiOptions = {}): Promise<Vendor> {
  return startVendor(geminiJudge(options));
}

/** The same API without its server, for a relay that carries requests to it. */
export function geminiJudge({
  key = "AIza-sim",
  token,
  open,
  ids = false,
}: GeminiOptions = {}): (asked: Asked) => Verdict {
  const signatures = new Set<string>();
  let replies = 0;
  return (asked) => {
    const { headers, path, query, body } = asked;
    const signed =
      open || (token === undefined ? headers["x-goog-api-key"] === key : headers.authorization === `Bearer ${token}`);
    if (!signed) return refuse(400, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID");
    if (path === "/v1beta/models") return { reply: page(query) };
    const [, model = "", method] = /^\/v1beta\/models\/([^:/]+):(\w+)$/.exec(path) ?? [];
    if (method === "countTokens") {
      const { generateContentRequest: inner } = body as { generateContentRequest?: Body };
      const { model: name, ...rest } = inner ?? {};
      const wrong = name === `models/${model}` ? complaint(rest, model, signatures) : "model must be repeated";
      return wrong === undefined ? { reply: { totalTokens: JSON.stringify(rest).length } } : refuse(400, wrong);
    }
    const streams = method === "streamGenerateContent";
    if (!streams && method !== "generateContent") return refuse(404, `Requested entity was not found: ${path}`);
    const wrong = complaint(body, model, signatures);
    if (wrong !== undefined) return refuse(400, wrong);
    replies += 1;
    if (streams && query.get("alt") !== "sse") return refuse(400, "the tests read server-sent events only");
    return { stream: streams, encode: (turn) => encode(turn, body, { signatures, ids, number: replies }) };
  };
}

function refuse(status: number, message: string, reason?: string): Verdict {
  const details =
    reason === undefined ? {} : { details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason }] };
  return { refuse: { status, body: errorBody(status, { message, ...details }) } };
}

function errorBody(status: number, told: Body): unknown {
  return { error: { code: status, status: states[status] ?? "UNKNOWN", ...told } };
}

function page(query: URLSearchParams): unknown {
  const one = (name: string, method = "generateContent"): unknown => ({
    name: `models/${name}`,
    supportedGenerationMethods: [method],
  });
  if (query.get("pageToken") === "2") return { models: [one("gemini-sim-2"), one("embedding-sim", "embedContent")] };
  return { models: [one("gemini-sim-1")], nextPageToken: "2" };
}

function echo(body: Body): string {
  const parts = listOf(listOf(body.contents).at(-1)?.parts);
  return `echo: ${parts.map((part) => (typeof part.text === "string" ? part.text : `[${Object.keys(part)[0]}]`)).join(" ")}`;
}

interface Context {
  readonly signatures: Set<string>;
  readonly ids: boolean;
  readonly number: number;
}

function encode(turn: Turn, body: Body, context: Context): Encoded {
  const parts = partsOf(turn, body, context);
  const usageMetadata = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15, ...turn.usage };
  const head = { modelVersion: "sim", responseId: `resp_${context.number}` };
  const last = { finishReason: turn.stop ?? "STOP", index: 0 };
  const chunk = (some: readonly Body[], more: Body = {}): unknown => ({
    candidates: [{ content: { role: "model", parts: some }, index: 0, ...more }],
    ...head,
  });
  if (turn.stop === "BLOCKED") {
    const blocked = { promptFeedback: { blockReason: "PROHIBITED_CONTENT" }, usageMetadata, ...head };
    return { whole: blocked, events: [event(blocked)], errorEvent: "", error: errorBody };
  }
  return {
    whole: { candidates: [{ content: { role: "model", parts }, ...last }], usageMetadata, ...head },
    events: [
      ...parts.flatMap((part) => divided(part, turn)).map((part) => event(chunk([part]))),
      event({ ...(chunk([{ text: "" }], last) as Body), usageMetadata }),
    ],
    errorEvent: event({
      error: turn.error ?? { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" },
    }),
    error: errorBody,
  };
}

function partsOf(turn: Turn, body: Body, { signatures, ids, number }: Context): readonly Body[] {
  const thoughts = turn.reasoning === undefined ? [] : [{ text: turn.reasoning, thought: true }];
  const text = turn.text ?? turn.pieces?.join("") ?? (turn.calls ? "" : echo(body));
  const signature = Buffer.from(`signature ${number}`).toString("base64");
  if (turn.calls) signatures.add(signature);
  const calls = (turn.calls ?? []).map(({ name, args }, index) => ({
    functionCall: { name, args, ...(ids ? { id: `fc_${number}_${index}` } : {}) },
    ...(index === 0 ? { thoughtSignature: signature } : {}),
  }));
  return [...thoughts, ...(text === "" ? [] : [{ text }]), ...calls];
}

function divided(part: Body, turn: Turn): readonly Body[] {
  if (typeof part.text !== "string" || part.thought === true) return [part];
  return piecesOf({ ...turn, text: part.text }).map((text) => ({ text }));
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\r\n\r\n`;
}
