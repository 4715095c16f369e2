/** A host with the tools plugin, a workspace in a temporary folder, and a hand that runs tools as anybody. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  definePlugin,
  GatewayError,
  type Identity,
  KeyedLock,
  type MemoryHit,
  need,
  type Plugin,
  type ToolAnswer,
  type ToolRecord,
  type Tools,
  type Turn,
  tools,
  type Workspace,
  workspace,
} from "@chela/sdk";
import { startHost, type TestHost, type TestHostOptions } from "@chela/sdk/testing";
import store from "../../../plugins/store/index.ts";
import plugin from "../../../plugins/tools/index.ts";
import { makeTempDir } from "../../kit/temp.ts";

export const admin: Identity = { id: "token", name: "owner", kind: "token", scopes: ["admin"] };
export const writer: Identity = { id: "key:k_writer", name: "writer", kind: "key", scopes: ["write"] };
export const reader: Identity = { id: "key:k_reader", name: "reader", kind: "key", scopes: ["read"] };

export interface Bench {
  readonly host: TestHost;
  /** The workspace. */
  readonly root: string;
  /** What `tool:before` and `tool:done` saw, by call id. */
  readonly before: string[];
  readonly done: ToolRecord[];
  run(tool: string, input?: unknown, turn?: Partial<Turn>): Promise<ToolAnswer>;
  /** The output of a call that has to go well. */
  ok(tool: string, input?: unknown, turn?: Partial<Turn>): Promise<string>;
  /** The output of a call that has to fail. */
  fails(tool: string, input?: unknown, turn?: Partial<Turn>): Promise<string>;
  names(): string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface BenchOptions {
  readonly tools?: Record<string, unknown>;
  readonly config?: Record<string, unknown>;
  readonly plugins?: readonly Plugin[];
  readonly without?: readonly ("store" | "workspace")[];
  readonly port?: number;
  readonly env?: TestHostOptions["env"];
  readonly stateDir?: string;
}

/** Everything is allowed but what `tools.approvals` says. */
export const allowed = { approvals: { exec: "allow" } };

export async function bench(options: BenchOptions = {}): Promise<Bench> {
  const folder = makeTempDir("workspace");
  const root = folder.path;
  const before: string[] = [];
  const done: ToolRecord[] = [];
  let dispatch: Tools | undefined;
  const hand = definePlugin({
    id: "hand",
    version: "1.0.0",
    host: "^1.0.0",
    needs: { tools: need(tools, "^1.0.0") },
    setup(ctx) {
      dispatch = ctx.use.tools;
      ctx.on("tool:before", ({ id }) => void before.push(id));
      ctx.on("tool:done", (record) => void done.push(record));
    },
  });
  const without = new Set<string>(options.without);
  const plugins = [
    ...(without.has("store") ? [] : [store]),
    ...(without.has("workspace") ? [] : [workspacePlugin(root)]),
    ...(options.plugins ?? []),
    plugin,
    hand,
  ];
  const { port, env, stateDir, tools: section = allowed } = options;
  const host = await startHost({
    plugins,
    config: { tools: section, ...options.config },
    ...(port === undefined ? {} : { port }),
    ...(env && { env }),
    ...(stateDir && { stateDir }),
  });
  let count = 0;
  const run: Bench["run"] = (tool, input = {}, turn = {}) => {
    count += 1;
    const call = { id: `call-${count}`, name: tool, arguments: JSON.stringify(input) };
    const signal = new AbortController().signal;
    const base: Turn = { id: `turn-${count}`, session: "main", agent: "main", identity: admin, signal };
    return (dispatch as Tools).run(call, { ...base, ...turn });
  };
  return {
    host,
    root,
    before,
    done,
    run,
    ok: async (...given) => {
      const { ok, output } = await run(...given);
      if (!ok) throw new Error(`${given[0]} failed: ${output}`);
      return output;
    },
    fails: async (...given) => {
      const { ok, output } = await run(...given);
      if (ok) throw new Error(`${given[0]} went well: ${output}`);
      return output;
    },
    names: () => (dispatch as Tools).list().map(({ name }) => name),
    [Symbol.asyncDispose]: async () => {
      await host.stop();
      folder.remove();
    },
  };
}

/** A memory in memory, a folder of its own for each agent. */
export function workspacePlugin(root: string): Plugin {
  mkdirSync(join(root, "memory"), { recursive: true });
  const notes = new Map<string, string>();
  const writers = new KeyedLock();
  const key = (path: string, agent = "main") => `${agent}/${path}`;
  const shared: Workspace = {
    root: () => root,
    folder: () => root,
    documents: async () => [],
    recall: async (agent) => {
      const content = notes.get(key("today.md", agent));
      return content === undefined ? [] : [{ path: "memory/today.md", content }];
    },
    list: async () => [],
    read: async () => undefined,
    write: async () => undefined,
    alone: (path, work) => writers.run(path, work),
    readMemory: async (path, agent) => notes.get(key(path, agent)),
    remember: async (text, path = "today.md", agent = undefined) => {
      if (path.includes("..")) throw new GatewayError("PATH_REFUSED", 400, "outside");
      notes.set(key(path, agent), `${notes.get(key(path, agent)) ?? ""}${text}\n`);
      return `memory/${path}`;
    },
    searchMemory: async (words, limit, agent = "main") =>
      [...notes]
        .filter(([name, text]) => name.startsWith(`${agent}/`) && text.includes(words))
        .map(([name, text]): MemoryHit => ({ path: name.slice(agent.length + 1), line: 1, text, score: 1 }))
        .slice(0, limit),
    attachment: async () => undefined,
    keep: async () => {
      throw new GatewayError("UPLOAD_QUOTA", 507, "full");
    },
  };
  return definePlugin({
    id: "workspace",
    version: "1.0.0",
    host: "^1.0.0",
    provides: [workspace],
    setup: (ctx) => ctx.provide(workspace, shared),
  });
}
