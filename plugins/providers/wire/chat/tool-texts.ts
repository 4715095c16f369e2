/**
 * The tools of a request as text of its body. Their schemas are the greater part of most requests and the same in all of them,
 * so the text of a tool is kept as long as the tool is. Invariant: only of tools that are frozen to the bottom, which never change.
 */
import type { ToolSpec } from "@chela/sdk";

export class ToolTexts {
  readonly #known = new WeakMap<ToolSpec, string>();

  /** As the value of `tools`. */
  of(tools: readonly ToolSpec[]): string {
    return `[${tools.map((tool) => this.#text(tool)).join(",")}]`;
  }

  #text(tool: ToolSpec): string {
    const known = this.#known.get(tool);
    if (known !== undefined) return known;
    const { name, about, input, strict } = tool;
    const described = { name, description: about, parameters: input, ...(strict && { strict }) };
    const text = ascii(JSON.stringify({ type: "function", function: described }));
    if (isFrozen(tool)) this.#known.set(tool, text);
    return text;
  }
}

/** With everything in it. Looked at once for each tool that is kept, and left at the first part that may change. */
function isFrozen(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isFrozen);
}

/** A text without wide characters is put together, measured and sent in a fraction of the time. */
function ascii(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
