/** The models that the agents' section names: each needs a provider that is configured, or one that may be found. */
import { type ConfigProblem, objectOf } from "@chela/sdk";
import { localServers, vendors } from "./discovery/vendors.ts";

const discoverable: ReadonlySet<string> = new Set([...vendors.map(({ name }) => name), ...localServers.values()]);

/** `agents` and `models` as they are in the config, of any shape: what does not fit their schemas is told by those. */
export function namedModelProblems(agents: unknown, models: unknown): readonly ConfigProblem[] {
  const { providers, fallbacks } = objectOf(models);
  const configured = Object.keys(objectOf(providers));
  const known = (name: string) =>
    name === "offline" ||
    (configured.length > 0 ? configured.includes(name) : discoverable.has(name) || /^local-\d+$/.test(name));
  const named = [...namedIn(objectOf(agents)), ...fallbacksIn("models", fallbacks)];
  return named.flatMap(([path, model]): ConfigProblem[] => {
    if (typeof model !== "string" || model === "") return [];
    // A fallback that nobody serves is passed over.
    const level = path.includes("fallbacks.") ? "warning" : "error";
    const slash = model.indexOf("/");
    if (slash < 1 || slash === model.length - 1)
      return [{ path, message: "must be provider/model", level: path.startsWith("models.") ? level : "error" }];
    const name = model.slice(0, slash);
    if (known(name)) return [];
    const choice = [...configured, "offline"].join(", ");
    const must = `must name a provider of models.providers, as provider/model; there is no "${name.slice(0, 100)}" (${choice})`;
    return [{ path, message: `${must}; without a model of its own: chela config unset ${path}`, level }];
  });
}

type Named = readonly (readonly [path: string, model: unknown])[];

function namedIn(agents: Readonly<Record<string, unknown>>): Named {
  const model = objectOf(objectOf(agents.defaults).model);
  const entries = Object.entries(objectOf(agents.entries));
  return [
    ["agents.defaults.model.primary", model.primary],
    ...fallbacksIn("agents.defaults.model", model.fallbacks),
    ...entries.map(([id, entry]) => [`agents.entries.${id}.model`, objectOf(entry).model] as const),
  ];
}

function fallbacksIn(at: string, fallbacks: unknown): Named {
  return Array.isArray(fallbacks) ? fallbacks.map((one: unknown, index) => [`${at}.fallbacks.${index}`, one]) : [];
}
