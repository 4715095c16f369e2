/** What a simulated upstream can do wrong, as data: one behaviour per request, chosen by model name or told by a test. */

type Fault =
  /** Accepts the request and never answers. */
  | "hang-headers"
  /** Sends headers and the first piece, then nothing more. */
  | "hang-stream"
  /** Sends only headers, then nothing. */
  | "hang-body"
  /** Closes the socket instead of answering. */
  | "cut-headers"
  /** Closes the socket after half of the reply. */
  | "cut-stream"
  /** Ends the stream in good order, without a finish reason or `[DONE]`. */
  | "cut-clean"
  /** Closes the socket after the finish reason, before `[DONE]`. */
  | "cut-after-finish"
  /** Sends all of the reply and `[DONE]`, then never ends it. */
  | "open-end"
  /** Sends an event that is not JSON. */
  | "broken-sse"
  /** Sends an `error` object after half of the reply. */
  | "stream-error"
  /** Never ends the stream by itself: keeps sending comments. */
  | "endless";

export interface Behaviour {
  /** Applies to so many requests, after that `afterwards`. */
  readonly times?: number;
  readonly afterwards?: Behaviour;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of OpenAI's error object. */
  readonly raw?: string;
  readonly message?: string;
  readonly code?: string;
  /** Default: `echo: <last user message>`. */
  readonly text?: string;
  /** Pieces of a stream; default one per word. */
  readonly pieces?: readonly string[];
  readonly reasoning?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: string }[];
  readonly usage?: Readonly<Record<string, unknown>> | null;
  readonly finish?: string;
  readonly delayMs?: number;
  /** Between two pieces. */
  readonly chunkMs?: number;
  readonly fault?: Fault;
  /** JSON although a stream was asked for. */
  readonly whole?: boolean;
}

const usage = {
  prompt_tokens: 9,
  completion_tokens: 3,
  total_tokens: 12,
  prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 1 },
};

/** Behaviour by model name. Every other name is `echo`. */
export const models: Readonly<Record<string, Behaviour>> = {
  echo: { usage },
  slow: { usage, delayMs: 300 },
  trickle: { usage, pieces: ["one ", "two ", "three ", "four ", "five"], chunkMs: 60 },
  tools: {
    usage,
    toolCalls: [
      { name: "weather", arguments: '{"city":"Ulm"}' },
      { name: "clock", arguments: "{}" },
    ],
  },
  reason: { usage, reasoning: "Let me think.", text: "42" },
  short: { usage, text: "cut by the limit", finish: "length" },
  filtered: { usage, text: "", finish: "content_filter" },
  huge: { usage, pieces: Array.from({ length: 64 }, (_, index) => String(index % 10).repeat(64 * 1024)) },
  whole: { usage, whole: true },
  bad: { status: 400, message: "max_tokens is too large", code: "invalid_value" },
  auth: { status: 401, message: "Incorrect API key provided", code: "invalid_api_key" },
  forbidden: { status: 403, message: "You are not allowed to use this model" },
  missing: { status: 404, message: "The model does not exist", code: "model_not_found" },
  large: { status: 413, message: "Request too large" },
  rate: { status: 429, headers: { "retry-after": "7" }, message: "Rate limit reached", code: "rate_limit_exceeded" },
  "rate-once": {
    times: 1,
    status: 429,
    headers: { "retry-after": "0" },
    message: "Rate limit reached",
    afterwards: { usage },
  },
  fault: { status: 500, message: "The server had an error" },
  "fault-once": { times: 1, status: 503, message: "Overloaded", afterwards: { usage } },
  html: {
    status: 502,
    raw: "<html><body><h1>Bad gateway</h1></body></html>",
    headers: { "content-type": "text/html" },
  },
  page: { status: 200, raw: "<html>Welcome</html>", headers: { "content-type": "text/html" } },
  redirect: { status: 307, raw: "", headers: { location: "http://127.0.0.1:1/elsewhere" } },
  hang: { fault: "hang-headers" },
  "hang-body": { fault: "hang-body" },
  "hang-stream": { fault: "hang-stream" },
  dead: { fault: "cut-headers" },
  cut: { fault: "cut-stream" },
  "cut-clean": { fault: "cut-clean" },
  broken: { fault: "broken-sse" },
  "stream-error": { fault: "stream-error", message: "The model is overloaded", code: "503" },
  endless: { fault: "endless" },
};
