/** The models that the agents' section names: each needs a provider that is configured, or one that may be found. */
import type { ConfigProblem } from "@chela/sdk";
import { localServers, vendors } from "./discovery/vendors.ts";

const discoverable: ReadonlySet<string> = new Set([...vendors.map(({ name }) => name), ...localServers.values()]);

/** `agents` and `providers` as they are in the config, of any shape: what does not fit their schemas is told by those. */
export function namedModelProblems(agents: unknown, providers: unknown): readonly ConfigProblem[] {
  const configured = Object.keys(objectOf(providers));
  const known = (name: string) =>
    name === "offline" ||
    (configured.length > 0 ? configured.includes(name) : discoverable.has(name) || /^local-\d+$/.test(name));
  return namedIn(objectOf(agents)).flatMap(([path, model]) => {
    const slash = model.indexOf("/");
    if (slash < 1 || slash === model.length - 1)
      return { path, message: "must be provider/model", level: "error" as const };
    const name = model.slice(0, slash);
    if (known(name)) return [];
    const choice = [...configured, "offline"].join(", ");
    const message = `must name a provider of models.providers, as provider/model; there is no "${name.slice(0, 100)}" (${choice})`;
    // A fallback that nobody serves is passed over.
    return { path, message, level: path.includes(".fallbacks.") ? ("warning" as const) : ("error" as const) };
  });
}

function namedIn(agents: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  const model = objectOf(objectOf(agents.defaults).model);
  const fallbacks = Array.isArray(model.fallbacks) ? model.fallbacks : [];
  const entries = Object.entries(objectOf(agents.entries));
  const named: readonly (readonly [string, unknown])[] = [
    ["agents.defaults.model.primary", model.primary],
    ...fallbacks.map((one: unknown, index) => [`agents.defaults.model.fallbacks.${index}`, one] as const),
    ...entries.map(([id, entry]) => [`agents.entries.${id}.model`, objectOf(entry).model] as const),
  ];
  return named.flatMap(([path, value]) => (typeof value === "string" && value !== "" ? [[path, value] as const] : []));
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
