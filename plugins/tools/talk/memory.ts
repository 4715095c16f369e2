/** memory_get, memory_search, memory_write: the memory of the agent whose turn it is, and no other's. */
import { GatewayError, type Tool, type TSchema, type Turn, Type } from "@chela/sdk";
import { type Ctx, present } from "../world.ts";

const Path = Type.String({
  minLength: 1,
  maxLength: 4096,
  description: "Below memory/; MEMORY.md is the long-term one",
});
const GetInput = Type.Object({ path: Type.Optional(Path) });
const SearchInput = Type.Object({
  query: Type.String({ minLength: 1, maxLength: 400, description: "Words to look for" }),
  limit: Type.Integer({ minimum: 1, maximum: 50, default: 8, description: "Passages at most" }),
});
const WriteInput = Type.Object({
  content: Type.String({ minLength: 1, maxLength: 100_000, description: "What to remember" }),
  path: Type.Optional(Path),
});

/** The main agent has the main memory; every other one a folder of its own. */
function namespaceOf({ agent }: Turn): string | undefined {
  return agent === "main" || agent === "" ? undefined : agent;
}

export function memoryTools(ctx: Ctx): Tool<TSchema>[] {
  const memory = () => present(ctx, "workspace");
  const get: Tool<typeof GetInput> = {
    name: "memory_get",
    about: "Reads a file of your memory; without a path, the long-term memory and the notes of today and yesterday.",
    input: GetInput,
    risk: "read",
    access: "read",
    run: async ({ path }, turn) => {
      if (path === undefined) {
        const documents = await memory().recall(namespaceOf(turn));
        const texts = documents.map((document) => `## ${document.path}\n\n${document.content.trim()}`);
        return texts.join("\n\n") || "The memory is empty.";
      }
      const text = await memory().readMemory(path, namespaceOf(turn));
      if (text === undefined)
        throw new GatewayError("FILE_MISSING", 404, `there is no ${JSON.stringify(path)} in the memory`);
      return text;
    },
  };
  const search: Tool<typeof SearchInput> = {
    name: "memory_search",
    about: "Finds passages in your memory by words.",
    input: SearchInput,
    risk: "read",
    access: "read",
    run: async ({ query, limit }, turn) => {
      const hits = await memory().searchMemory(query, limit, namespaceOf(turn));
      return hits.map(({ path, line, text }) => `${path}:${line}: ${text.trim()}`).join("\n") || "Nothing was found.";
    },
  };
  const write: Tool<typeof WriteInput> = {
    name: "memory_write",
    about: "Adds something to your memory: to today's note, or to a file of it.",
    input: WriteInput,
    risk: "write",
    access: "write",
    run: async ({ content, path }, turn) =>
      `Remembered in ${await memory().remember(content, path, namespaceOf(turn))}.`,
  };
  return [get, search, write] as unknown as Tool<TSchema>[];
}
