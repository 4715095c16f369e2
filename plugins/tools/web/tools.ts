/** web_fetch, parallel_fetch and web_search: what models are told of them. */
import { Pacer, type Tool, type TSchema, Type } from "@chela/sdk";
import type { Ctx } from "../world.ts";

const Url = Type.String({ minLength: 1, maxLength: 4096, description: "http or https, public" });
const MaxChars = Type.Integer({ minimum: 100, maximum: 200_000, default: 20_000, description: "Of the text" });

const FetchInput = Type.Object({ url: Url, max_chars: MaxChars });
const ParallelInput = Type.Object({
  urls: Type.Array(Url, { minItems: 1, maxItems: 8, description: "Pages to read" }),
  max_chars: Type.Integer({ minimum: 1_000, maximum: 200_000, default: 40_000, description: "Of all texts together" }),
});
const SearchInput = Type.Object({
  query: Type.String({ minLength: 1, maxLength: 400, description: "Words to look for" }),
  count: Type.Optional(Type.Integer({ minimum: 1, maximum: 20, description: "Results" })),
});

/** The longest time that can be set, and a little more. */
const maxFetchMs = 310_000;

export function webTools(ctx: Ctx): Tool<TSchema>[] {
  const parts = { ctx, pacer: new Pacer() };
  const one: Tool<typeof FetchInput> = {
    name: "web_fetch",
    about: "Reads a public web page or text by its URL; HTML comes as readable text with links.",
    input: FetchInput,
    risk: "read",
    access: "read",
    timeoutMs: maxFetchMs,
    run: async (input, { signal }) => (await import("./fetch.ts")).fetchTool(parts, input, signal),
  };
  const several: Tool<typeof ParallelInput> = {
    name: "parallel_fetch",
    about: "Reads up to eight public web pages side by side.",
    input: ParallelInput,
    risk: "read",
    access: "read",
    timeoutMs: maxFetchMs,
    run: async (input, { signal }) => (await import("./fetch.ts")).parallelFetchTool(parts, input, signal),
  };
  const search: Tool<typeof SearchInput> = {
    name: "web_search",
    about: "Searches the web; returns titles, URLs and excerpts.",
    input: SearchInput,
    risk: "read",
    access: "read",
    run: async (input, { signal }) => (await import("./search.ts")).searchTool(ctx, input, signal),
  };
  return [one, several, search] as unknown as Tool<TSchema>[];
}
