/** Where in a text a problem is, for whoever has that text before them: at its value, else at the nearest thing around it. */
import { type ConfigProblem, GatewayError, type LocatedProblem } from "@chela/sdk";
import type { ConfigDocument, DocumentNode } from "./document.ts";
import { parsePath } from "./paths.ts";

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
  const placeOf = locator(body);
  return problems.map((problem) => ({ ...problem, ...placeOf(offsetOf(tree, problem.path)) }));
}

/** What is wrong with a text that is no config at all. Other errors are nobody's mistake and go on. */
export function refusalOf(error: unknown): LocatedProblem {
  if (!GatewayError.is(error) || error.status >= 500) throw error;
  const { line, column } = error.details ?? {};
  const place = typeof line === "number" && typeof column === "number" ? { line, column } : {};
  return { path: "", message: typeof error.cause === "string" ? error.cause : error.message, level: "error", ...place };
}

function offsetOf(tree: DocumentNode, text: string): number {
  let node = tree;
  for (const key of keysOf(text)) {
    const next = memberOf(node, key);
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
function memberOf({ type, children = [] }: DocumentNode, key: string): DocumentNode | undefined {
  if (type === "array") return children[Number(key)];
  return children.findLast((member) => member.children?.[0]?.value === key)?.children?.[1];
}
