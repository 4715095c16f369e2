/** Where in a text a problem is, for whoever has that text before them: at its value, else at the nearest thing around it. */
import { type ConfigProblem, GatewayError, type LocatedProblem } from "@chela/sdk";
import type { ConfigDocument, DocumentNode } from "./document.ts";
import { parsePath } from "./paths.ts";
import { oncePer } from "./values.ts";

/** Reads the lines of the text once. */
export function locator(body: string): (offset: number) => { readonly line: number; readonly column: number } {
  const starts = [0, ...[...body.matchAll(/\r\n|\r|\n/g)].map((end) => end.index + end[0].length)];
  return (offset) => {
    let low = 0;
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] as number) + 1 };
  };
}

export function located(problems: readonly ConfigProblem[], { body, tree }: ConfigDocument): LocatedProblem[] {
  if (problems.length === 0) return [];
  const placeOf = locator(body);
  const members = oncePer(membersOf);
  return problems.map((problem) => ({ ...problem, ...placeOf(offsetOf(tree, problem.path, members)) }));
}

type Members = (node: DocumentNode) => ReadonlyMap<string, DocumentNode>;

/** What is wrong with a text that is no config at all. Other errors are nobody's mistake and go on. */
export function refusalOf(error: unknown): LocatedProblem {
  if (!GatewayError.is(error) || error.status >= 500) throw error;
  const { line, column } = error.details ?? {};
  const place = typeof line === "number" && typeof column === "number" ? { line, column } : {};
  return { path: "", message: typeof error.cause === "string" ? error.cause : error.message, level: "error", ...place };
}

function offsetOf(tree: DocumentNode, text: string, members: Members): number {
  let node = tree;
  for (const key of keysOf(text)) {
    const next = node.type === "array" ? node.children?.[Number(key)] : members(node).get(key);
    if (!next) break;
    node = next;
  }
  return node.offset;
}

function keysOf(text: string): readonly string[] {
  try {
    return parsePath(text);
  } catch {
    return [];
  }
}

/** Of a key written twice, the one that counts. */
function membersOf({ type, children = [] }: DocumentNode): ReadonlyMap<string, DocumentNode> {
  const properties = type === "object" ? children.map((member) => member.children as [DocumentNode, DocumentNode]) : [];
  return new Map(properties.map(([name, value]) => [name.value as string, value]));
}
