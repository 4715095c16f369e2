/**
 * A turn as the events of the Responses API, in OpenAI's order and with rising sequence numbers. One item is open at a time;
 * thoughts, text and calls that alternate become items of their own.
 */
import type { ToolCall, TurnEvent, TurnResult, TurnRun } from "@chela/sdk";
import { asGatewayError } from "../errors.ts";
import {
  callItem,
  endOf,
  type Item,
  itemId,
  messageItem,
  type ResponseEnd,
  type ResponseHead,
  reasoningItem,
  responseObject,
  textPart,
} from "./object.ts";

interface OpenItem {
  readonly kind: "text" | "reasoning";
  readonly id: string;
  text: string;
}

export interface StreamedTurn {
  readonly run: TurnRun;
  readonly head: ResponseHead;
  /** The first event that is no start; read before the status was decided. */
  readonly first: IteratorResult<TurnEvent>;
  readonly events: AsyncIterator<TurnEvent>;
  /** Called with the whole response before the client reads that it is complete. */
  readonly keep: (end: ResponseEnd, result: TurnResult) => Promise<void>;
}

export async function* responseEvents(turn: StreamedTurn): AsyncGenerator<string> {
  const { run, first, events } = turn;
  const writer = new EventWriter(turn.head);
  let over = false;
  try {
    yield writer.begin();
    for (let next = first; !next.done; next = await events.next()) {
      const event = next.value;
      if (event.type === "text" || event.type === "reasoning") yield writer.say(event.type, event.text);
      // The agent's own tools stay inside; a comment keeps proxies from giving up meanwhile.
      else yield ": working\n\n";
    }
    const result = await run.done;
    const tail = writer.close(endOf(result).status) + result.toolCalls.map((call) => writer.call(call)).join("");
    if (tail !== "") yield tail;
    over = true;
    const end = writer.ended(result);
    if (end.status !== "failed") await turn.keep(end, result);
    yield writer.end(end);
  } catch (thrown) {
    over = true;
    const { code, message } = asGatewayError(thrown);
    const error = { code: code.toLowerCase(), message };
    yield writer.close("incomplete") + writer.end({ status: "failed", output: writer.output, error });
  } finally {
    if (!over) run.abort("the client closed the connection");
  }
}

class EventWriter {
  readonly #head: ResponseHead;
  readonly #output: Item[] = [];
  #sequence = 0;
  #open: OpenItem | undefined;

  constructor(head: ResponseHead) {
    this.#head = head;
  }

  get output(): readonly Item[] {
    return this.#output;
  }

  begin(): string {
    const response = responseObject(this.#head, { status: "in_progress", output: [] });
    return this.#event("response.created", { response }) + this.#event("response.in_progress", { response });
  }

  say(kind: OpenItem["kind"], text: string): string {
    const before = this.#open?.kind === kind ? "" : this.close() + this.#openItem(kind);
    const open = this.#open as OpenItem;
    open.text += text;
    const where = { item_id: open.id, output_index: this.#output.length, ...indexOf(kind) };
    const delta =
      kind === "text"
        ? this.#event("response.output_text.delta", { ...where, delta: text, logprobs: [] })
        : this.#event("response.reasoning_summary_text.delta", { ...where, delta: text });
    return before + delta;
  }

  /** The end of the item that is open, if one is. */
  close(status: "completed" | "incomplete" = "completed"): string {
    const open = this.#open;
    if (!open) return "";
    this.#open = undefined;
    const { kind, id, text } = open;
    const where = { item_id: id, output_index: this.#output.length, ...indexOf(kind) };
    const item = kind === "text" ? messageItem(id, text, status) : reasoningItem(id, text);
    const [said, part] =
      kind === "text"
        ? ["response.output_text.done", "response.content_part.done"]
        : ["response.reasoning_summary_text.done", "response.reasoning_summary_part.done"];
    return (
      this.#event(said as string, { ...where, text, ...(kind === "text" && { logprobs: [] }) }) +
      this.#event(part as string, { ...where, part: partOf(kind, text) }) +
      this.#done(item)
    );
  }

  call(call: ToolCall): string {
    const id = itemId("fc", this.#head.id, this.#output.length);
    const where = { item_id: id, output_index: this.#output.length };
    return (
      this.#added(callItem(id, call, "in_progress")) +
      this.#event("response.function_call_arguments.delta", { ...where, delta: call.arguments }) +
      this.#event("response.function_call_arguments.done", { ...where, name: call.name, arguments: call.arguments }) +
      this.#done(callItem(id, call))
    );
  }

  ended(result: TurnResult): ResponseEnd {
    if (result.stop === "aborted" || result.stop === "error") {
      const error = { code: "server_error", message: "The turn ended before its reply was complete." };
      return { status: "failed", output: this.#output, error };
    }
    return { ...endOf(result), output: this.#output, usage: result.usage };
  }

  end(end: ResponseEnd): string {
    return this.#event(`response.${end.status}`, { response: responseObject(this.#head, end) });
  }

  #openItem(kind: OpenItem["kind"]): string {
    const id = itemId(kind === "text" ? "msg" : "rs", this.#head.id, this.#output.length);
    this.#open = { kind, id, text: "" };
    const where = { item_id: id, output_index: this.#output.length, ...indexOf(kind) };
    const item = kind === "text" ? messageItem(id, "", "in_progress") : reasoningItem(id, "");
    const added = kind === "text" ? "response.content_part.added" : "response.reasoning_summary_part.added";
    return this.#added(item) + this.#event(added, { ...where, part: partOf(kind, "") });
  }

  #added(item: Item): string {
    return this.#event("response.output_item.added", { output_index: this.#output.length, item });
  }

  #done(item: Item): string {
    const output_index = this.#output.push(item) - 1;
    return this.#event("response.output_item.done", { output_index, item });
  }

  #event(type: string, rest: object): string {
    const sequence_number = this.#sequence++;
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...rest })}\n\n`;
  }
}

function indexOf(kind: OpenItem["kind"]): object {
  return kind === "text" ? { content_index: 0 } : { summary_index: 0 };
}

function partOf(kind: OpenItem["kind"], text: string): unknown {
  return kind === "text" ? textPart(text) : { type: "summary_text", text };
}
