/** OpenAI's Responses API. */
import { openAiList, signWithKey } from "../chat/index.ts";
import type { Wire } from "../dialect.ts";
import { unlessSet } from "../quirks.ts";
import { ResponsesReader } from "./reply.ts";
import { responsesBody } from "./request.ts";

export const responses: Wire = {
  name: "responses",
  request: (request, model, spec) => ({ path: "/responses", body: responsesBody(request, model, spec), headers: [] }),
  sign: (signed, spec) => {
    const id = signed.account?.id;
    return [...signWithKey(signed, spec), ...(id === undefined ? [] : unlessSet(spec, "chatgpt-account-id", id))];
  },
  reader: (target) => new ResponsesReader(target),
  list: openAiList,
};
