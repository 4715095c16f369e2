/** Google's generateContent. */
import { objectOf } from "@chela/sdk";
import { count } from "../assembly.ts";
import type { Wire } from "../dialect.ts";
import { quirksOf, unlessSet } from "../quirks.ts";
import { modelPath, version } from "./places.ts";
import { GeminiReader } from "./reply.ts";
import { countBody, geminiBody } from "./request.ts";

/** Tokens that a person's login gives out begin like this; keys are told apart from them by it. */
const accountToken = /^ya29\./;

export const gemini: Wire = {
  name: "gemini",
  request: (request, model, spec) => ({
    path: modelPath(
      spec,
      model,
      request.extra?.stream === false ? ":generateContent" : ":streamGenerateContent?alt=sse",
    ),
    body: geminiBody(request, model, spec),
    headers: [],
  }),
  enclose: (body, model, { account }, spec) => {
    if (!quirksOf(spec).codeAssist) return body;
    const head = JSON.stringify({ model, ...(account?.projectId ? { project: account.projectId } : {}) });
    return `${head.slice(0, -1)},"request":${body}}`;
  },
  sign: ({ token, account }, spec) => {
    if (token === undefined) return [];
    if (quirksOf(spec).codeAssist) return unlessSet(spec, "authorization", `Bearer ${token}`);
    if (!account && !accountToken.test(token) && spec.auth !== "bearer")
      return unlessSet(spec, "x-goog-api-key", token);
    const project = account?.projectId === undefined ? [] : unlessSet(spec, "x-goog-user-project", account.projectId);
    return [...unlessSet(spec, "authorization", `Bearer ${token}`), ...project];
  },
  reader: (target) => new GeminiReader(target),
  list: {
    path: (spec, next) =>
      `${version(spec)}/models?pageSize=1000${next ? `&pageToken=${encodeURIComponent(next)}` : ""}`,
    read: ({ models, nextPageToken: next }) => ({
      ids: (Array.isArray(models) ? models : []).flatMap((row: unknown) => {
        const { name, supportedGenerationMethods: methods } = objectOf(row);
        if (typeof name !== "string" || (Array.isArray(methods) && !methods.includes("generateContent"))) return [];
        return [name.replace(/^models\//, "")];
      }),
      ...(typeof next === "string" && next !== "" ? { next } : {}),
    }),
  },
  count: {
    request: (request, model, spec) => ({
      path: modelPath(spec, model, ":countTokens"),
      body: countBody(request, model, spec),
      headers: [],
    }),
    read: ({ totalTokens }) => (typeof totalTokens === "number" ? count(totalTokens) : undefined),
  },
};
