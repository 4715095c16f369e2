/** What a kept response was made from, as items of OpenAI's form and in pages. Their ids are for paging: a request cannot name them. */
import type { Message, Static } from "@chela/sdk";
import { invalid } from "../errors.ts";
import type { ItemsQuery } from "../schemas.ts";
import { callItem, type Item, messageItem } from "./object.ts";

export function inputItems(
  response: string,
  messages: readonly Message[],
  { after, limit, order }: Static<typeof ItemsQuery>,
): Record<string, unknown> {
  const all = itemsOf(messages, response.slice("resp_".length));
  if (order === "desc") all.reverse();
  const before = after === undefined ? -1 : all.findIndex(({ id }) => id === after);
  if (after !== undefined && before < 0) throw invalid(`There is no item with id '${after}'`, "after");
  const data = all.slice(before + 1, before + 1 + limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: before + 1 + data.length < all.length,
  };
}

function itemsOf(messages: readonly Message[], response: string): Item[] {
  const items: Item[] = [];
  const id = (prefix: string): string => `${prefix}_${response}i${items.length}`;
  for (const message of messages) {
    const { role, content, toolCalls = [], toolCallId } = message;
    if (role === "tool") {
      const output = typeof content === "string" ? content : parts(content);
      items.push({ id: id("fco"), type: "function_call_output", status: "completed", call_id: toolCallId, output });
      continue;
    }
    if (role !== "assistant")
      items.push({ id: id("msg"), type: "message", status: "completed", role, content: parts(content) });
    else if (content !== "") items.push(messageItem(id("msg"), String(content)));
    for (const call of toolCalls) items.push(callItem(id("fc"), call));
  }
  return items;
}

function parts(content: Message["content"]): readonly object[] {
  if (typeof content === "string") return [{ type: "input_text", text: content }];
  return content.map((part) =>
    part.type === "text"
      ? { type: "input_text", text: part.text }
      : { type: "input_image", image_url: part.url, detail: "auto" },
  );
}
