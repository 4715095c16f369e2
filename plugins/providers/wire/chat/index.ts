/** OpenAI's chat completions: the wire that almost everybody speaks. */

import { objectOf } from "@chela/sdk";
import type { ProviderSpec } from "../../settings.ts";
import type { ModelList, Wire } from "../dialect.ts";
import { quirksOf, unlessSet } from "../quirks.ts";
import { levelFields, splitLevel } from "./levels.ts";
import { MarkupFilter } from "./markup.ts";
import { ChatReader } from "./reply.ts";
import { chatBody } from "./request.ts";

/** `{data: [{id}]}`, in one page. */
export const openAiList: ModelList = {
  path: () => "/models",
  read: ({ data }) => ({
    ids: (Array.isArray(data) ? data : []).flatMap((row: unknown) => {
      const { id } = objectOf(row);
      return typeof id === "string" ? [id] : [];
    }),
  }),
};

export const signWithKey: Wire["sign"] = ({ token }, spec) => {
  if (token === undefined) return [];
  const header = quirksOf(spec).keyHeader;
  return header === undefined ? unlessSet(spec, "authorization", `Bearer ${token}`) : unlessSet(spec, header, token);
};

/** A client's own body for this upstream: only the model is ours to say. */
export function openAiBody(body: Readonly<Record<string, unknown>>, asked: string, spec: ProviderSpec): string {
  if (!asked.endsWith(")")) return JSON.stringify({ ...body, model: asked });
  const quirks = quirksOf(spec);
  const { model, level } = splitLevel(asked, quirks);
  return JSON.stringify({ ...levelFields(level, quirks), ...body, model });
}

export const chat: Wire = {
  name: "chat",
  request: (request, model, spec, texts) => ({
    path: "/chat/completions",
    body: chatBody(request, model, spec, texts),
    headers: [],
  }),
  sign: signWithKey,
  reader: (target, spec, request) => {
    const tools = quirksOf(spec).toolMarkup && request.tools?.length ? request.tools : undefined;
    return new ChatReader(target, tools && new MarkupFilter(tools.map(({ name }) => name)));
  },
  list: openAiList,
};
