/** Assembles a reply of generateContent. Its parts are kept beside the text where they carry signatures, which go back with them. */
import { isObject, type ModelEvent, type NativeParts, objectOf, type StopReason } from "@chela/sdk";
import { bodyFault, fault } from "../../failover/faults.ts";
import { limits } from "../../limits.ts";
import { count, counted, parseObject, Reader, textOf } from "../assembly.ts";
import type { GeminiParts, Part } from "./contents.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Every reason that is not here has to do with what may be said. */
const stops: Readonly<Record<string, StopReason>> = {
  STOP: "stop",
  MAX_TOKENS: "length",
  CONTINUATION: "length",
};
/** Reasons of a model that could not finish. */
const cuts: ReadonlySet<string> = new Set([
  "OTHER",
  "FINISH_REASON_UNSPECIFIED",
  "MALFORMED_FUNCTION_CALL",
  "UNEXPECTED_TOOL_CALL",
  "TOO_MANY_TOOL_CALLS",
  "MALFORMED_RESPONSE",
  "MISSING_THOUGHT_SIGNATURE",
]);

/** Its stream just ends: nothing says that it is over. */
export class GeminiReader extends Reader {
  readonly #parts: Part[] = [];
  readonly #unnamed: string[] = [];

  event(_name: string | undefined, data: string, out: ModelEvent[]): void {
    if (data !== "") this.#chunk(parseObject(data, this.target), out);
  }

  /** One response, or the list of them that a stream is without `alt=sse`. */
  whole(text: string, out: ModelEvent[]): void {
    const said = parseObject(text.trim(), this.target);
    for (const chunk of Array.isArray(said) ? (said as unknown[]) : [said]) this.#chunk(objectOf(chunk), out);
  }

  #chunk(said: Fields, out: ModelEvent[]): void {
    const chunk = isObject(said.response) ? said.response : said;
    if (chunk.error) throw bodyFault(this.target, chunk.error);
    if (chunk.usageMetadata) this.#usage(objectOf(chunk.usageMetadata));
    const candidate = objectOf(Array.isArray(chunk.candidates) ? chunk.candidates[0] : undefined);
    const { parts } = objectOf(candidate.content);
    for (const part of Array.isArray(parts) ? (parts as unknown[]) : []) this.#part(objectOf(part), out);
    const reason = textOf(candidate.finishReason);
    if (reason !== "") this.reply.stop = this.#stopOf(reason, textOf(candidate.finishMessage));
    // What was asked was refused as a whole: there is no candidate.
    else if (objectOf(chunk.promptFeedback).blockReason) this.reply.stop = "content_filter";
  }

  #part(part: Fields, out: ModelEvent[]): void {
    const text = textOf(part.text);
    if (part.thought === true) this.reply.reasoning(text, out);
    else this.reply.text(text, out);
    if (part.functionCall) this.#call(objectOf(part.functionCall));
    this.#keep(part);
  }

  #call(call: Fields): void {
    const open = this.reply.openCall(textOf(call.id), textOf(call.name));
    open.arguments = JSON.stringify(call.args ?? {});
    if (textOf(call.id) === "") this.#unnamed.push(open.id);
  }

  /** Text that came in pieces is one part again; a signature keeps its part to itself. */
  #keep(part: Fields): void {
    if (this.#parts.length >= limits.blocks)
      throw fault("UPSTREAM_PROTOCOL", this.target, `more than ${limits.blocks} parts in one reply`);
    const last = this.#parts.at(-1);
    if (last && isPlain(last) && isPlain(part) && (last.thought === true) === (part.thought === true))
      last.text = textOf(last.text) + textOf(part.text);
    else this.#parts.push({ ...part });
  }

  protected native(): NativeParts | undefined {
    if (
      !this.#parts.some((part) => part.thoughtSignature !== undefined || objectOf(part.functionCall).id !== undefined)
    )
      return undefined;
    // Thoughts themselves are not asked for again, nor is nothing.
    const parts = this.#parts.filter((part) => !(isPlain(part) && (part.thought === true || part.text === "")));
    const kept: GeminiParts = { by: this.target.id, parts, unnamed: this.#unnamed };
    return { wire: "gemini", parts: kept };
  }

  #stopOf(reason: string, message: string): StopReason {
    if (cuts.has(reason)) {
      const told = message === "" ? reason : `${reason}: ${message.slice(0, 300)}`;
      throw fault("UPSTREAM_CUT", this.target, `the upstream gave up: finish reason ${told}`);
    }
    return stops[reason] ?? "content_filter";
  }

  #usage(usage: Fields): void {
    this.reply.usage = {
      inputTokens: count(usage.promptTokenCount) + count(usage.toolUsePromptTokenCount),
      outputTokens: count(usage.candidatesTokenCount) + count(usage.thoughtsTokenCount),
      ...counted("cachedTokens", usage.cachedContentTokenCount),
      ...counted("reasoningTokens", usage.thoughtsTokenCount),
    };
  }
}

function isPlain(part: Fields): boolean {
  return typeof part.text === "string" && part.thoughtSignature === undefined && part.functionCall === undefined;
}
