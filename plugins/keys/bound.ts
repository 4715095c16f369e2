/** What a call of a model may use at most, judged by its request before it is sent: the input by its size, generously, the output by what was asked for. Pure. */
import { isObject, type ModelCaller, objectOf, type Usage } from "@chela/sdk";

/** English has about four, other languages and code fewer. */
const bytesPerToken = 3;
/** Where a caller does not say what he asks, and a request not how long its answer may be. */
const usual = { input: 1000, output: 4096 } as const;
/** Whatever a request says: more than anybody's budget. */
const mostOutput = 1e12;
/** A picture or a file in a request costs by what it shows, not by its bytes. */
const attachedTokens = 2000;
/** Where one stands, or its address; anywhere else what looks like one is text. */
const attachedNames: ReadonlySet<string> = new Set(["url", "image_url", "file_data"]);
/** In the words of our own requests, of chat completions old and new, and of responses. */
const outputNames = ["maxTokens", "max_completion_tokens", "max_output_tokens", "max_tokens"] as const;

export function boundOf({ purpose, request }: ModelCaller): Usage {
  const inputTokens = request === undefined ? usual.input : sizeOf(request);
  if (purpose === "embeddings") return { inputTokens, outputTokens: 0 };
  const asked = objectOf(request);
  // All of them: an upstream knows some of these words, and which is not to be told from here.
  const told = outputNames.map((name) => asked[name]).filter(isCount);
  const most = told.length > 0 ? Math.max(...told) : usual.output;
  return { inputTokens, outputTokens: Math.min(most * (isCount(asked.n) ? asked.n : 1), mostOutput) };
}

/** Not recursive: how deep a request is nested is its sender's choice. */
function sizeOf(request: unknown): number {
  const open: unknown[] = [request];
  let tokens = 0;
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "string") tokens += sizeOfText(value);
    else if (Array.isArray(value)) for (const member of value) open.push(member);
    else if (isObject(value)) {
      for (const [name, member] of Object.entries(value)) {
        tokens += sizeOfText(name);
        const isAttached = typeof member === "string" && attachedNames.has(name);
        if (isAttached) tokens += attachedTokens;
        if (!isAttached || !member.startsWith("data:")) open.push(member);
      }
    } else tokens += 1;
  }
  return tokens;
}

function sizeOfText(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && value >= 1;
}
