/** How ClawGo's normalized view maps onto the raw config, field by field. */
export type Kind = "boolean" | "string" | "name" | "count" | "number" | "list" | "object";

export interface Field {
  /** Below its place in the view. */
  readonly from: string;
  /** Below its place in the raw config. */
  readonly to: readonly string[];
  /** `name` and `count` change nothing when they are empty or zero. */
  readonly kind: Kind;
  /** What the view shows when the config says nothing; undefined leaves the field out. */
  readonly fallback?: unknown;
}

export const field = (from: string, to: string, kind: Kind, fallback?: unknown): Field => ({
  from,
  to: to.split("."),
  kind,
  fallback,
});

export const toolFields = [
  field("shell_enabled", "shell.enabled", "boolean", true),
  field("mcp_enabled", "mcp.enabled", "boolean", false),
];
export const gatewayFields = [field("host", "host", "name", ""), field("port", "port", "count", 0)];
export const routerFields = [
  field("enabled", "enabled", "boolean", false),
  field("strategy", "strategy", "name", "rules_first"),
  field("allow_direct_agent_chat", "allow_direct_agent_chat", "boolean", false),
  field("max_hops", "max_hops", "count", 6),
  field("default_timeout_sec", "default_timeout_sec", "count", 600),
  field("sticky_thread_owner", "sticky_thread_owner", "boolean", true),
  field("rules", "rules", "list", []),
];
export const subagentFields = [
  field("enabled", "enabled", "boolean", false),
  field("role", "role", "string"),
  field("prompt", "system_prompt_file", "string"),
  field("provider", "runtime.provider", "string"),
  field("tool_allowlist", "tools.allowlist", "list"),
];
export const providerFields = [
  field("auth", "auth", "string", ""),
  field("api_base", "api_base", "string", ""),
  field("max_tokens", "max_tokens", "number", 0),
  field("temperature", "temperature", "number", 0),
  field("timeout_sec", "timeout_sec", "number", 0),
  field("oauth", "oauth", "object", {}),
  field("runtime_persist", "runtime_persist", "boolean", false),
  field("runtime_history_file", "runtime_history_file", "string", ""),
  field("runtime_history_max", "runtime_history_max", "number", 0),
  field("responses", "responses", "object", {}),
];
