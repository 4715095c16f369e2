/** ClawGo's normalized view of the config, made from the merged one. */
import { isObject } from "@chela/sdk";
import {
  type Field,
  gatewayFields,
  providerFields,
  routerFields,
  subagentFields,
  toolFields,
} from "./normalized-fields.ts";
import { at, member, type PlainObject } from "./plain.ts";

/** `view` is the merged config, redacted. */
export function normalizedView(view: PlainObject): PlainObject {
  const primary = at(view, "agents", "defaults", "model", "primary");
  const [provider, ...model] = typeof primary === "string" ? primary.split("/") : [""];
  return {
    core: {
      default_provider: provider,
      default_model: model.join("/"),
      main_agent_id: at(view, "agents", "router", "main_agent_id") ?? "main",
      subagents: each(at(view, "agents", "subagents"), (agent) => ({
        ...show(agent, subagentFields),
        runtime_class: runtimeClass(agent),
      })),
      tools: show(member(view, "tools"), toolFields),
      gateway: show(member(view, "gateway"), gatewayFields),
    },
    runtime: {
      router: show(at(view, "agents", "router"), routerFields),
      providers: each(at(view, "models", "providers"), (entry) => show(entry, providerFields)),
    },
  };
}

function runtimeClass(agent: PlainObject): unknown {
  return at(agent, "runtime", "provider") ? "provider_bound" : member(agent, "transport") || "default";
}

function show(source: unknown, fields: readonly Field[]): PlainObject {
  const shown: Record<string, unknown> = {};
  for (const { from, to, fallback } of fields) {
    const value = at(source, ...to) ?? fallback;
    if (value !== undefined) shown[from] = value;
  }
  return shown;
}

function each(source: unknown, make: (entry: PlainObject) => PlainObject): PlainObject {
  if (!isObject(source)) return {};
  return Object.fromEntries(Object.entries(source).map(([key, entry]) => [key, make(isObject(entry) ? entry : {})]));
}
