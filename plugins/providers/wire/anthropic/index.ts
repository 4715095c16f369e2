/** Anthropic's Messages API, and the many servers that offer it too. */
import { objectOf } from "@chela/sdk";
import { count } from "../assembly.ts";
import type { Wire } from "../dialect.ts";
import { unlessSet } from "../quirks.ts";
import { below, versionOf } from "./places.ts";
import { AnthropicReader } from "./reply.ts";
import { anthropicBody, countBody } from "./request.ts";

/** Tokens that a person's login gives out begin like this; keys are told apart from them by it. */
const accountToken = /^sk-ant-oat/;

export const anthropic: Wire = {
  name: "anthropic",
  request: (request, model, spec) => ({
    path: below(spec, "/messages"),
    body: anthropicBody(request, model, spec),
    headers: unlessSet(spec, "anthropic-version", versionOf(spec)),
  }),
  sign: ({ token, account }, spec) => {
    if (token === undefined) return [];
    const login = account !== undefined || accountToken.test(token);
    if (!login && spec.auth !== "bearer") return unlessSet(spec, "x-api-key", token);
    const bearer = unlessSet(spec, "authorization", `Bearer ${token}`);
    return login ? [...bearer, ...unlessSet(spec, "anthropic-beta", "oauth-2025-04-20")] : bearer;
  },
  reader: (target) => new AnthropicReader(target),
  list: {
    path: (spec, next) => below(spec, `/models?limit=1000${next ? `&after_id=${encodeURIComponent(next)}` : ""}`),
    read: ({ data, has_more: more, last_id: last }) => ({
      ids: (Array.isArray(data) ? data : []).flatMap((row: unknown) => {
        const { id } = objectOf(row);
        return typeof id === "string" ? [id] : [];
      }),
      ...(more === true && typeof last === "string" ? { next: last } : {}),
    }),
  },
  count: {
    request: (request, model, spec) => ({
      path: below(spec, "/messages/count_tokens"),
      body: countBody(request, model, spec),
      headers: unlessSet(spec, "anthropic-version", versionOf(spec)),
    }),
    read: ({ input_tokens: tokens }) => (typeof tokens === "number" ? count(tokens) : undefined),
  },
};
