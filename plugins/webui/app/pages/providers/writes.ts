/** Changes of providers in the config. Each is made as a whole or not at all; who lists what is there stays with the gateway. */
import { call } from "../../client/http.ts";
import { type ChangeResult, tellChange } from "../../parts/change-result.ts";
import { configPath, type Edit } from "../../parts/schema-form/values.ts";
import type { Listing, Preset, Provider } from "./shapes.ts";

/** A model as the config lists it. */
export type ModelEntry = string | { readonly id: string; readonly [fact: string]: unknown };

export interface DefaultModel {
  readonly primary?: string;
  readonly fallbacks?: readonly string[];
}

const modelPath = "agents.defaults.model";

export function providerPath(name: string, ...keys: readonly string[]): string {
  return configPath(["models", "providers", name, ...keys]);
}

/** `force`: also when little of the file is left. */
export async function writeEdits(edits: readonly Edit[], done: string, force = false): Promise<void> {
  await tellChange(await call<ChangeResult>("config.edit", { edits, force }, { timeout: 60_000 }), done);
}

/** What the file says there; undefined: nothing. */
export async function written<T>(path: string, signal?: AbortSignal): Promise<T | undefined> {
  return (await call<{ value?: T }>("config.get", { path }, { signal: signal ?? null })).value;
}

export function defaultModel(signal?: AbortSignal): Promise<DefaultModel | undefined> {
  return written<DefaultModel>(modelPath, signal);
}

export function primaryEdit(model: string | undefined): Edit {
  return model === undefined ? { path: `${modelPath}.primary` } : { path: `${modelPath}.primary`, value: model };
}

/** Undefined: the first model of each other provider. */
export function fallbacksEdit(models: readonly string[] | undefined): Edit {
  return models === undefined ? { path: `${modelPath}.fallbacks` } : { path: `${modelPath}.fallbacks`, value: models };
}

/** Takes it out, and nobody asks for its models by default any more. */
export async function removalEdits(name: string): Promise<readonly Edit[]> {
  return [{ path: providerPath(name) }, ...(await forgetEdits((model) => model.startsWith(`${name}/`)))];
}

/** Models that are no more are neither the default nor stand in for it. */
export async function forgetEdits(isGone: (model: string) => boolean): Promise<readonly Edit[]> {
  const { primary = "", fallbacks = [] } = (await defaultModel()) ?? {};
  const kept = fallbacks.filter((model) => !isGone(model));
  return [
    ...(isGone(primary) ? [primaryEdit(undefined)] : []),
    ...(kept.length < fallbacks.length ? [fallbacksEdit(kept.length > 0 ? kept : undefined)] : []),
  ];
}

/** What was found on this machine, as it has to stand in the config to stay: a key remains in the environment. */
export function foundEdits(found: readonly Provider[], presets: readonly Preset[]): readonly Edit[] {
  return found.map(({ name, preset, api_base, models, open, auth }) => {
    const known = presets.find(({ id }) => id === preset);
    const key = auth === "api_key" && known?.env ? { api_key: `\${${known.env}}` } : { auth: "none" };
    const list = [...models, ...(open ? ["*"] : [])];
    return { path: providerPath(name), value: { ...(known && { preset }), api_base, ...key, models: list } };
  });
}

/** A name that is free. */
export function freeName(wanted: string, { configured }: Pick<Listing, "configured">): string {
  const taken = new Set(configured);
  for (let n = 2; taken.has(wanted); n += 1) {
    const next = `${wanted.replace(/-\d+$/, "")}-${n}`;
    if (!taken.has(next)) return next;
  }
  return wanted;
}

/** More models after those there are; one that is there already learns what is new of it. */
export function withModels(entries: readonly ModelEntry[], more: readonly ModelEntry[]): readonly ModelEntry[] {
  const fresh = new Map(more.map((entry) => [idOf(entry), entry]));
  const known = entries.map((entry): ModelEntry => {
    const again = fresh.get(idOf(entry));
    if (typeof again !== "object") return entry;
    return typeof entry === "object" ? { ...entry, ...again } : again;
  });
  const ids = new Set(entries.map(idOf));
  const star = known.filter((entry) => idOf(entry) === "*");
  return [...known.filter((entry) => idOf(entry) !== "*"), ...more.filter((entry) => !ids.has(idOf(entry))), ...star];
}

export function idOf(entry: ModelEntry): string {
  return typeof entry === "string" ? entry : entry.id;
}
