/** What of the `agents` section no schema can say (ClawGo §2.1): peers that know each other, files inside the workspace, a router whose agents exist. */
import { posix, win32 } from "node:path";
import { type ConfigProblem, objectOf } from "@chela/sdk";

type Add = (problem: ConfigProblem) => void;
type Loose = Readonly<Record<string, unknown>>;

const types = ["router", "worker", "reviewer", "observer"];
const policies = ["final_only", "milestone", "on_blocked", "always", "internal_only"];
const strategies = ["rules_first", "round_robin", "manual"];

/** Checks the whole merged config; what the schema refuses already is left to it. */
export function checkAgents(config: Loose, add: Add): void {
  const agents = objectOf(config.agents);
  const at = (path: string, message: string) => add({ path: `agents.${path}`, message, level: "error" });
  const subagents = objectOf(agents.subagents);
  const providers = Object.keys(objectOf(objectOf(config.models).providers));
  for (const [id, entry] of Object.entries(subagents)) {
    const say: Say = (key, message) => at(`subagents.${id}${key && `.${key}`}`, message);
    checkSubagent(id, objectOf(entry), say);
    checkProvider(objectOf(objectOf(entry).runtime), providers, say);
    checkPeers(id, subagents, say);
  }
  checkRouter(objectOf(agents.router), agents, at);
  checkCompaction(objectOf(objectOf(agents.defaults).context_compaction), add);
  checkExecution(objectOf(objectOf(agents.defaults).execution), at);
  checkTimeZone(objectOf(agents.defaults).time_zone, at);
}

type Say = (key: string, message: string) => void;

function checkSubagent(id: string, entry: Loose, say: Say): void {
  const { type, transport, notify_main_policy: notify, system_prompt_file: file } = entry;
  if (!/^[\w.-]{1,64}$/.test(id)) say("", "must be named with letters, digits, dots, - or _");
  if (isSet(type) && !types.includes(String(type))) say("type", `must be one of: ${types.join(", ")}`);
  if (isSet(transport) && transport !== "local") say("transport", "must be one of: local");
  if (isSet(notify) && !policies.includes(String(notify))) {
    say("notify_main_policy", `must be one of: ${policies.join(", ")}`);
  }
  for (const [key, value] of Object.entries(objectOf(entry.runtime))) {
    if (Number.isInteger(value) && Number(value) < 0) say(`runtime.${key}`, "must be >= 0");
  }
  if (id === "main" && entry.requires_main_mediation === true) {
    say("requires_main_mediation", "must be false for main");
  }
  if (entry.enabled !== true) return;
  if (!isSet(file)) say("system_prompt_file", "must not be empty when the subagent is enabled");
  else if (posix.isAbsolute(String(file)) || win32.isAbsolute(String(file)) || String(file).startsWith("~")) {
    say("system_prompt_file", "must be relative");
  } else if (/(^|[\\/])\.\.([\\/]|$)/.test(String(file))) say("system_prompt_file", "must stay within the workspace");
}

function checkProvider({ provider }: Loose, providers: readonly string[], say: Say): void {
  if (!isSet(provider)) return;
  const name = String(provider).split("/")[0] ?? "";
  if (!providers.includes(name) && name !== "offline") {
    say("runtime.provider", `must be a provider of models.providers; "${name}" is none`);
  }
}

/** Who accepts from somebody must be one whom that somebody can talk to, and the other way round. */
function checkPeers(id: string, subagents: Loose, say: Say): void {
  const entry = objectOf(subagents[id]);
  for (const [key, back] of [
    ["accept_from", "can_talk_to"],
    ["can_talk_to", "accept_from"],
  ] as const) {
    for (const peer of texts(entry[key])) {
      if (peer === "user") continue;
      if (peer !== "main" && !Object.hasOwn(subagents, peer)) {
        say(key, `must name known subagents; "${peer}" is not known`);
      } else if (Object.hasOwn(subagents, peer) && !texts(objectOf(subagents[peer])[back]).includes(id)) {
        say(key, `must be reciprocated: agents.subagents.${peer}.${back} does not name "${id}"`);
      }
    }
  }
}

function checkRouter(router: Loose, agents: Loose, at: Say): void {
  const { strategy, rules, main_agent_id: main } = router;
  if (isSet(strategy) && !strategies.includes(String(strategy))) {
    at("router.strategy", `must be one of: ${strategies.join(", ")}`);
  }
  const known = (id: unknown) =>
    id === "main" || [agents.subagents, agents.entries].some((names) => Object.hasOwn(objectOf(names), String(id)));
  if (router.enabled === true && isSet(main) && !known(main)) {
    at("router.main_agent_id", `must exist in agents.subagents; "${String(main)}" does not`);
  }
  for (const [index, rule] of (Array.isArray(rules) ? rules : []).entries()) {
    const { agent_id: id, keywords } = objectOf(rule);
    if (!isSet(id)) at(`router.rules.${index}.agent_id`, "must not be empty");
    else if (!known(id))
      at(`router.rules.${index}.agent_id`, `must exist in agents.subagents; "${String(id)}" does not`);
    const words = texts(keywords);
    if (words.length === 0 || words.some((word) => word.trim() === "")) {
      at(`router.rules.${index}.keywords`, "must not be empty");
    }
  }
  const policy = objectOf(router.policy);
  if (Number(policy.intent_max_input_chars) < 200) at("router.policy.intent_max_input_chars", "must be >= 200");
  if (Number(policy.max_rounds_without_user) <= 0) at("router.policy.max_rounds_without_user", "must be > 0");
}

function checkCompaction({ keep_recent_messages: keep, trigger_messages: trigger, mode }: Loose, add: Add): void {
  const at = "agents.defaults.context_compaction";
  if (typeof keep === "number" && typeof trigger === "number" && keep >= trigger) {
    add({ path: `${at}.keep_recent_messages`, message: "must be < trigger_messages", level: "error" });
  }
  if (mode !== "responses_compact" && mode !== "hybrid") return;
  const message = `is ${mode}, and that sums up as summary does: what a provider compacts for itself no other model could read, after a failover or a change of models`;
  add({ path: `${at}.mode`, message, level: "warning" });
}

function checkExecution({ tool_parallel_safe_names: names }: Loose, at: Say): void {
  if (texts(names).some((name) => name.trim() === "")) {
    at("defaults.execution.tool_parallel_safe_names", "must not contain blank names");
  }
}

function checkTimeZone(zone: unknown, at: Say): void {
  if (typeof zone !== "string") return;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
  } catch {
    at("defaults.time_zone", "must be the IANA name of a time zone, as Europe/Berlin");
  }
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function isSet(value: unknown): boolean {
  return typeof value === "string" && value.trim() !== "";
}
