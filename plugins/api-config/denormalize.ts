/** The way back from a normalized view: what a client changed in it, as a part of the raw config. */
import { isDeepStrictEqual } from "node:util";
import { GatewayError, isObject } from "@chela/sdk";
import {
  type Field,
  field,
  gatewayFields,
  type Kind,
  providerFields,
  routerFields,
  subagentFields,
  toolFields,
} from "./normalized-fields.ts";
import { at, member, type PlainObject } from "./plain.ts";

interface Place {
  /** In the view. */
  readonly from: readonly string[];
  /** In the raw config. */
  readonly to: readonly string[];
  readonly fields: readonly Field[];
}

const places: readonly Place[] = [
  { from: ["core"], to: [], fields: [field("main_agent_id", "agents.router.main_agent_id", "name")] },
  { from: ["core", "tools"], to: ["tools"], fields: toolFields },
  { from: ["core", "gateway"], to: ["gateway"], fields: gatewayFields },
  { from: ["runtime", "router"], to: ["agents", "router"], fields: routerFields },
];
/** Objects of entries, each with these fields. */
const tables: readonly Place[] = [
  { from: ["core", "subagents"], to: ["agents", "subagents"], fields: subagentFields },
  { from: ["runtime", "providers"], to: ["models", "providers"], fields: providerFields },
];

/** The part of the raw config that `body` wants to be different from `current`, both normalized. Throws 400 on a wrong type. */
export function rawFrom(body: PlainObject, current: PlainObject): PlainObject {
  const raw = new Draft();
  primaryModel(section(body, ["core"]), at(current, "core"), raw);
  for (const place of places) apply(body, current, place, raw);
  for (const { from, to, fields } of tables) {
    for (const name of Object.keys(section(body, from))) {
      raw.open([...to, name]);
      apply(body, current, { from: [...from, name], to: [...to, name], fields }, raw);
    }
  }
  for (const id of Object.keys(section(body, ["core", "subagents"]))) transport(body, current, id, raw);
  return raw.root;
}

function apply(body: PlainObject, current: PlainObject, { from: place, to: prefix, fields }: Place, raw: Draft): void {
  const wanted = section(body, place);
  const now = at(current, ...place);
  for (const { from, to, kind, fallback } of fields) {
    const value = member(wanted, from);
    // Of a new entry, too, what the view would show anyway is not said: a temperature of 0 there means none.
    if (value === undefined || value === null || isDeepStrictEqual(value, member(now, from) ?? fallback)) continue;
    if (!isA(kind, value)) throw wrong([...place, from], kind);
    if ((kind === "name" && value === "") || (kind === "count" && (value as number) <= 0)) continue;
    raw.set([...prefix, ...to], value);
  }
}

/** Both halves or nothing. */
function primaryModel(core: PlainObject, now: unknown, raw: Draft): void {
  const keys = ["default_provider", "default_model"] as const;
  const [provider, model] = keys.map((key) => member(core, key) ?? "");
  for (const [index, half] of [provider, model].entries()) {
    if (typeof half !== "string") throw wrong(["core", keys[index] as string], "string");
  }
  if (provider === "" || model === "" || keys.every((key) => member(core, key) === member(now, key))) return;
  raw.set(["agents", "defaults", "model", "primary"], `${provider}/${model}`);
}

/** A class that is not derived names a transport. */
function transport(body: PlainObject, current: PlainObject, id: string, raw: Draft): void {
  const place = ["core", "subagents", id, "runtime_class"];
  const wanted = at(body, ...place) ?? "";
  if (typeof wanted !== "string") throw wrong(place, "string");
  if (["", "default", "provider_bound", at(current, ...place)].includes(wanted)) return;
  raw.set(["agents", "subagents", id, "transport"], wanted);
}

function section(body: PlainObject, place: readonly string[]): PlainObject {
  let holder = body;
  for (const [depth, key] of place.entries()) {
    const next = member(holder, key) ?? {};
    if (!isObject(next)) throw wrong(place.slice(0, depth + 1), "object");
    holder = next;
  }
  return holder;
}

function isA(kind: Kind, value: unknown): boolean {
  if (kind === "list") return Array.isArray(value);
  if (kind === "object") return isObject(value);
  if (kind === "name") return typeof value === "string";
  return typeof value === (kind === "count" ? "number" : kind);
}

function wrong(place: readonly string[], kind: Kind): GatewayError {
  const words: Readonly<Record<Kind, string>> = {
    boolean: "true or false",
    string: "a string",
    name: "a string",
    count: "a number",
    number: "a number",
    list: "a list",
    object: "an object",
  };
  return new GatewayError("CONFIG_DECODE", 400, `decode normalized config: ${place.join(".")} must be ${words[kind]}`);
}

/** An object built path by path; its objects have no prototype to reach. */
class Draft {
  readonly root: Record<string, unknown> = Object.create(null);

  set(path: readonly string[], value: unknown): void {
    this.open(path.slice(0, -1))[path.at(-1) as string] = value;
  }

  /** The object at this path, empty where none was. */
  open(path: readonly string[]): Record<string, unknown> {
    let holder = this.root;
    for (const key of path) {
      holder[key] ??= Object.create(null);
      holder = holder[key] as Record<string, unknown>;
    }
    return holder;
  }
}
