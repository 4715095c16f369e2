/**
 * The tools of ours that a turn's model is told of, made once and handed out again. Invariant: a list depends on nothing but
 * the live tools (the host lists them anew whenever one of them changes), the scopes of who asks and the names he may call;
 * all three are looked up each time. Specs are frozen to the bottom, so what others make of them may be kept as well.
 */
import { allows, type Identity, type ToolInfo, type ToolSpec } from "@chela/sdk";
import { frozenCopy } from "../frozen.ts";
import { mayCall } from "./team/profiles.ts";

/** Kinds of callers; more than that many ways to be allowed something begin anew. */
const mostLists = 64;

export class ToolSpecs {
  readonly #lists = new Map<string, readonly ToolSpec[]>();
  #live: readonly ToolInfo[] | undefined;
  #specs: readonly ToolSpec[] = [];

  /** Of `live`, by name, what `identity` may use and `names` (expanded; undefined: all) let through. */
  of(live: readonly ToolInfo[], identity: Identity, names: readonly string[] | undefined): readonly ToolSpec[] {
    if (this.#live !== live) {
      this.#live = live;
      this.#specs = live.map(specOf);
      this.#lists.clear();
    }
    const key = JSON.stringify([identity.scopes, names ?? null]);
    const known = this.#lists.get(key);
    if (known) return known;
    if (this.#lists.size >= mostLists) this.#lists.clear();
    const list = this.#specs.filter((_, at) => {
      const tool = live[at] as ToolInfo;
      return allows(identity, tool.access) && mayCall(names, tool);
    });
    this.#lists.set(key, Object.freeze(list));
    return list;
  }
}

/** A copy: the schema is its plugin's, which may do with it what it likes. */
function specOf({ name, about, input }: ToolInfo): ToolSpec {
  return frozenCopy({ name, about, input });
}
