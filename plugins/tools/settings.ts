/** The `tools` section. `tools.mcp` belongs to the plugin mcp; here it is only kept. */
import { type Static, Type } from "@chela/sdk";

const Policy = (fallback: "allow" | "ask" | "deny", description: string) =>
  Type.Union([Type.Literal("allow"), Type.Literal("ask"), Type.Literal("deny")], { default: fallback, description });

const Seconds = (fallback: number, maximum: number, description: string) =>
  Type.Integer({ minimum: 1, maximum, default: fallback, description });

const Approvals = Type.Object(
  {
    read: Policy("allow", "Tools that only read"),
    write: Policy("allow", "Tools that change something; MCP tools that do not say they only read"),
    exec: Policy("ask", "Tools that run programs: exec, process, skill_exec"),
    tools: Type.Record(Type.String(), Policy("ask", "This tool, whatever its kind"), {
      default: {},
      description: "By name of the tool, before the three above",
    }),
    timeout_sec: Seconds(120, 600, "How long a call waits for a person; then it is denied"),
  },
  { default: {} },
);

const Search = Type.Object(
  {
    api_key: Type.String({ default: "", secret: true, description: "Key of the Brave Search API" }),
    base_url: Type.String({ default: "https://api.search.brave.com", description: "Where the Brave Search API is" }),
    searxng_url: Type.String({
      default: "",
      description: "A SearXNG server with JSON output, used without an api_key",
    }),
    max_results: Type.Integer({ minimum: 1, maximum: 20, default: 5, description: "Of one search" }),
  },
  { default: {}, additionalProperties: true },
);

const Fetch = Type.Object(
  {
    timeout_sec: Seconds(30, 300, "For one page, redirects and body included"),
    max_bytes: Type.Integer({
      minimum: 1_000,
      maximum: 50_000_000,
      default: 3_000_000,
      description: "Of one page, unpacked; what follows is not read",
    }),
  },
  { default: {} },
);

const Shell = Type.Object(
  {
    enabled: Type.Boolean({ default: true, description: "false: exec, process and skill_exec do not exist" }),
    working_dir: Type.String({ default: "", description: "Where programs start, below the workspace" }),
    timeout_sec: Seconds(60, 3_600, "For one program that exec runs"),
    max_output_bytes: Type.Integer({
      minimum: 1_000,
      maximum: 1_000_000,
      default: 30_000,
      description: "Of what a program says, beginning and end; the middle is left out",
    }),
    max_processes: Type.Integer({ minimum: 1, maximum: 64, default: 8, description: "In the background, per session" }),
  },
  { default: {}, additionalProperties: true },
);

const Filesystem = Type.Object(
  {
    max_read_bytes: Type.Integer({
      minimum: 1_000,
      maximum: 256_000_000,
      default: 16_000_000,
      description: "Largest file that read_file opens",
    }),
    max_write_bytes: Type.Integer({
      minimum: 1_000,
      maximum: 256_000_000,
      default: 10_000_000,
      description: "Largest file that write_file and edit_file leave behind",
    }),
  },
  { default: {}, additionalProperties: true },
);

const Audit = Type.Object(
  {
    retention_days: Type.Integer({
      minimum: 1,
      maximum: 3_650,
      default: 30,
      description: "How long the record of a call is kept",
    }),
    max_rows: Type.Integer({
      minimum: 100,
      maximum: 10_000_000,
      default: 200_000,
      description: "Records that are kept at most; the oldest go",
    }),
  },
  { default: {} },
);

export const ToolsConfig = Type.Object({
  approvals: Approvals,
  web: Type.Object({ search: Search, fetch: Fetch }, { default: {}, additionalProperties: true }),
  shell: Shell,
  filesystem: Filesystem,
  audit: Audit,
  mcp: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

/** Everything is read when it is needed. */
export const hotKeys = ["*"] as const;

export type ToolsSettings = Static<typeof ToolsConfig>;
export type ApprovalSettings = ToolsSettings["approvals"];
