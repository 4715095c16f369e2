/** Items that a request only names, taken from the responses they are of: clients that let us keep responses send ids. */
import { type Identity, isObject } from "@chela/sdk";
import { invalid } from "../errors.ts";
import type { KeptResponses } from "./kept.ts";
import { responseOf } from "./object.ts";

const mostNamed = 1_000;

/** The input with the items in the place of their names. Throws 400 for one that is not there, or another's. */
export async function withItems(input: unknown, kept: KeptResponses, identity: Identity): Promise<unknown> {
  if (!Array.isArray(input)) return input;
  const named = input.flatMap((item: unknown) => nameOf(item) ?? []);
  if (named.length === 0) return input;
  if (named.length > mostNamed) throw invalid(`input may name at most ${mostNamed} items`, "input");
  const known = await outputs(named, kept, identity);
  return input.map((item: unknown, index) => {
    const id = nameOf(item);
    if (id === undefined) return item;
    const found = known.get(id);
    if (found) return found;
    throw invalid(`Item with id '${id.slice(0, 100)}' not found: it is kept only with its response`, `input[${index}]`);
  });
}

/** Undefined for an item that is there itself. Thoughts are only for the model that had them: they stay names. */
function nameOf(item: unknown): string | undefined {
  if (!isObject(item) || typeof item.id !== "string" || item.id.startsWith("rs_")) return undefined;
  const bare = (item.type ?? null) === null && item.role === undefined;
  return item.type === "item_reference" || bare ? item.id : undefined;
}

async function outputs(
  named: readonly string[],
  kept: KeptResponses,
  identity: Identity,
): Promise<ReadonlyMap<string, unknown>> {
  const known = new Map<string, unknown>();
  for (const id of new Set(named.flatMap((one) => responseOf(one) ?? []))) {
    if (!(await kept.has(id, identity))) continue;
    const { output } = (await kept.response(id, identity)) as { output: readonly { id: string }[] };
    for (const item of output) known.set(item.id, item);
  }
  return known;
}
