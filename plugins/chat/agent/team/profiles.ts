/** The agents that the configuration describes: the main one, `agents.entries`, and what is enabled of `agents.subagents`. */
import {
  type AgentInfo,
  type AgentProfileInfo,
  everyTool,
  expandAllowlist,
  GatewayError,
  isToolAllowed,
  type ToolInfo,
} from "@chela/sdk";
import type { AgentsSettings } from "../../settings.ts";
import type { SubagentSettings } from "./team-settings.ts";

export interface AgentProfile {
  readonly id: string;
  readonly kind: AgentProfileInfo["kind"];
  readonly about: string;
  readonly role: string;
  /** Empty: the providers choose. */
  readonly model: string;
  readonly systemPrompt: string;
  /** A document of the workspace that is the system prompt. */
  readonly promptFile?: string;
  /** Namespace of its own memory. */
  readonly memory?: string;
  /** As configured, groups not yet expanded; absent: all. */
  readonly tools?: readonly string[];
  readonly acceptFrom?: readonly string[];
  readonly canTalkTo?: readonly string[];
  readonly temperature?: number;
  readonly maxRetries: number;
  readonly retryBackoffMs: number;
  /** 0: no limit. */
  readonly maxTaskChars: number;
  readonly maxResultChars: number;
  readonly notify: string;
}

export const mainAgent = "main";

/** Throws `AGENT_UNKNOWN` 404 with the names there are. */
export function agentProfile(settings: AgentsSettings, id: string): AgentProfile {
  const own = Object.hasOwn(settings.entries, id) ? settings.entries[id] : undefined;
  const subagent = subagentOf(settings, id);
  if (subagent && !own && id !== mainAgent) return subagentProfile(settings, id, subagent);
  if (!own && id !== mainAgent) {
    const names = agentIds(settings).join(", ");
    throw new GatewayError("AGENT_UNKNOWN", 404, `there is no agent "${id.slice(0, 100)}"; the agents are: ${names}`);
  }
  const { defaults } = settings;
  const peers = subagent && peersOf(subagent);
  return {
    id,
    kind: id === mainAgent ? "main" : "entry",
    about: own?.about ?? (id === mainAgent ? "The main agent" : ""),
    role: "",
    model: own?.model ?? defaults.model.primary,
    systemPrompt: own?.system_prompt ?? defaults.system_prompt,
    ...(own?.tools?.allowlist && { tools: own.tools.allowlist }),
    ...peers,
    maxRetries: 0,
    retryBackoffMs: 0,
    maxTaskChars: 0,
    maxResultChars: 0,
    notify: "final_only",
  };
}

/** `fallback` names the model of an agent that chose none. */
export function listAgents(settings: AgentsSettings, fallback: () => string): readonly AgentInfo[] {
  return agentIds(settings).map((id) => {
    const { about, model } = agentProfile(settings, id);
    return { id, about, model: model || fallback() };
  });
}

export function listProfiles(settings: AgentsSettings, fallback: () => string): readonly AgentProfileInfo[] {
  return agentIds(settings).map((id) => {
    const { kind, about, role, model, tools, acceptFrom, canTalkTo } = agentProfile(settings, id);
    return {
      id,
      kind,
      about,
      role,
      model: model || fallback(),
      ...(tools && { tools }),
      ...(acceptFrom && { acceptFrom }),
      ...(canTalkTo && { canTalkTo }),
    };
  });
}

/** The names that every one of the lists lets through, expanded; undefined: no limit. */
export function narrowed(...lists: readonly (readonly string[] | undefined)[]): readonly string[] | undefined {
  let left: readonly string[] | undefined;
  for (const list of lists) {
    if (!list) continue;
    const names = expandAllowlist(list);
    if (names.includes(everyTool)) continue;
    left = left ? left.filter((name) => names.includes(name)) : names;
  }
  return left;
}

/** Whether a turn that may call `tools` (expanded) may call this one. */
export function mayCall(tools: readonly string[] | undefined, { name }: Pick<ToolInfo, "name">): boolean {
  return tools === undefined || isToolAllowed(name, tools);
}

function subagentOf(settings: AgentsSettings, id: string): SubagentSettings | undefined {
  const found = Object.hasOwn(settings.subagents, id) ? settings.subagents[id] : undefined;
  return found?.enabled === true ? found : undefined;
}

function subagentProfile({ defaults }: AgentsSettings, id: string, given: SubagentSettings): AgentProfile {
  const { role = "", description, display_name, system_prompt_file, memory_namespace, runtime = {}, tools } = given;
  const file = system_prompt_file?.trim();
  return {
    id,
    kind: "subagent",
    about: description || display_name || role,
    role,
    model: runtimeModel(runtime, defaults.model.primary),
    systemPrompt: `You are the subagent "${id}"${role === "" ? "" : ` with the role ${role}`}. ${defaults.system_prompt}`,
    ...(file && { promptFile: file }),
    memory: memory_namespace?.trim() || id,
    ...(tools?.allowlist && { tools: tools.allowlist }),
    ...peersOf(given),
    ...(runtime.temperature !== undefined && { temperature: runtime.temperature }),
    maxRetries: Math.max(0, runtime.max_retries ?? 0),
    retryBackoffMs: Math.max(0, runtime.retry_backoff_ms ?? 1_000),
    maxTaskChars: Math.max(0, runtime.max_task_chars ?? 0),
    maxResultChars: Math.max(0, runtime.max_result_chars ?? 0),
    notify: given.notify_main_policy || "final_only",
  };
}

/** `provider/model` in either key, or both of them. A provider alone answers with its first model. */
function runtimeModel({ provider = "", model = "" }: { provider?: string; model?: string }, primary: string): string {
  if (provider === "") return model || primary;
  if (provider.includes("/")) return provider;
  return model === "" ? provider : `${provider}/${model}`;
}

function peersOf({ accept_from, can_talk_to }: SubagentSettings): Pick<AgentProfile, "acceptFrom" | "canTalkTo"> {
  return { ...(accept_from && { acceptFrom: accept_from }), ...(can_talk_to && { canTalkTo: can_talk_to }) };
}

function agentIds({ entries, subagents }: AgentsSettings): readonly string[] {
  const others = [
    ...Object.keys(entries),
    ...Object.keys(subagents).filter((id) => subagents[id]?.enabled === true && !Object.hasOwn(entries, id)),
  ];
  return [mainAgent, ...others.filter((id) => id !== mainAgent).sort()];
}
