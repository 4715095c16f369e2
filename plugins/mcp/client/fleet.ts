/**
 * All servers of the config and the tools they give. A change of the config touches the servers it names and no other. The
 * tools of a running plugin change through `ctx.retool`: one commit, nothing restarts; a server's start, list_changed and
 * config edits all end there, one at a time, the newest state winning.
 * Which servers run: one whose tools are remembered from before starts with the first call; one that is new, or whose
 * settings changed, is started in the background at once, to learn its tools; one that was up and died is started again.
 */
import { GatewayError, type McpServer, type Tool, type TSchema } from "@chela/sdk";
import type { Ctx } from "../needs.ts";
import type { McpSettings, ServerSettings } from "../settings.ts";
import { transportWord } from "../settings.ts";
import { serverProblems } from "../validate.ts";
import { BlobKeeper } from "./blobs.ts";
import { keepTools, recallTools } from "./cache.ts";
import { type Connection, connect } from "./connect.ts";
import { genericTool } from "./generic.ts";
import { type LocalTool, localTools, toolOf } from "./local-tools.ts";
import { workspaceRoot } from "./place.ts";
import { plainLine } from "./plain.ts";
import { Server } from "./server.ts";
import { differenceOf, type ToolList } from "./tools.ts";

export class Fleet {
  readonly blobs: BlobKeeper;
  readonly #ctx: Ctx;
  readonly #servers = new Map<string, Server>();
  readonly #endings = new Map<string, Promise<void>>();
  /** Servers whose tools nobody knows yet. */
  readonly #unlearned = new WeakSet<Server>();
  /** Kept while it is the same tool, so that its schema is compiled once. */
  #made = new Map<string, Tool<TSchema>>();
  #settings: McpSettings;
  #begun = false;
  #stale = false;
  #retooling: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(ctx: Ctx) {
    this.#ctx = ctx;
    this.blobs = new BlobKeeper(() => ctx.use.workspace);
    this.#settings = ctx.config;
  }

  /** Makes the servers of the config; none is started yet. */
  async recall(settings: McpSettings): Promise<void> {
    this.#settings = settings;
    const wanted = new Map(
      settings.enabled ? Object.entries(settings.servers).filter(([, server]) => server.enabled) : [],
    );
    for (const [name, server] of this.#servers) {
      if (JSON.stringify(wanted.get(name)) === JSON.stringify(server.settings)) wanted.delete(name);
      else this.#end(server);
    }
    const recalled = await Promise.all(
      [...wanted].map(async ([name, each]) => ({
        name,
        settings: each,
        known: await recallTools(this.#ctx, name, each),
      })),
    );
    for (const entry of recalled) this.#add(entry);
  }

  /** From here on servers may run. */
  begin(): void {
    this.#begun = true;
    for (const server of this.#servers.values()) this.#learn(server);
  }

  async reconcile(settings: McpSettings): Promise<void> {
    await this.recall(settings);
    for (const server of this.#servers.values()) this.#learn(server);
    void this.#retool();
  }

  rows(): readonly McpServer[] {
    const names = new Map<string, string[]>();
    for (const { name, server } of this.#tools()) names.set(server, [...(names.get(server) ?? []), name]);
    return Object.entries(this.#settings.servers)
      .map(([name, settings]) => this.#servers.get(name)?.facts(names.get(name) ?? []) ?? absent(name, settings))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What the plugin registers now: the generic tool and those of all servers. */
  tools(): readonly Tool<TSchema>[] {
    if (!this.#settings.enabled) return [];
    const made = new Map<string, Tool<TSchema>>();
    for (const local of this.#tools()) {
      const key = `${local.name} ${local.server} ${local.remote.fingerprint}`;
      made.set(key, this.#made.get(key) ?? toolOf(local, () => this.server(local.server), this.blobs));
    }
    const generic = this.#made.get("mcp") ?? genericTool(this.#ctx, this);
    this.#made = made.set("mcp", generic);
    return [...made.values()];
  }

  /** The name here of a server's tool. */
  localName(server: string, tool: string): string | undefined {
    return this.#tools().find((local) => local.server === server && local.remote.name === tool)?.name;
  }

  /** The connection to an enabled server, started when need be. */
  async connection(name: string, signal?: AbortSignal): Promise<Connection> {
    return await this.server(name).connection(signal);
  }

  server(name: string): Server {
    const server = this.#servers.get(name);
    if (server) return server;
    const known = Object.hasOwn(this.#settings.servers, name);
    if (known)
      throw new GatewayError(
        "MCP_SERVER_OFF",
        409,
        `MCP server "${name}" is disabled; switch it on with tools.mcp.servers.${name}.enabled`,
      );
    const names = [...this.#servers.keys()].sort().join(", ");
    throw new GatewayError(
      "MCP_SERVER_UNKNOWN",
      404,
      `there is no MCP server "${plainLine(name, 80)}"; there are: ${names || "none"}`,
    );
  }

  async restart(name: string): Promise<McpServer> {
    await this.server(name).restart();
    return this.rows().find((row) => row.name === name) as McpServer;
  }

  /** Resolves when every process is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#begun = false;
    for (const server of this.#servers.values()) this.#end(server);
    await Promise.all(this.#endings.values());
    await this.#writing;
  }

  #add({ name, settings, known }: { name: string; settings: ServerSettings; known: ToolList | undefined }): void {
    const server: Server = new Server(
      { name, settings, known },
      {
        connect: async (listener, signal) => {
          const [problem] = serverProblems(name, settings, workspaceRoot(this.#ctx));
          if (problem) throw new GatewayError("MCP_CONFIG", 400, `${problem.path} ${problem.message}`);
          return await connect(this.#ctx, { name, settings }, listener, signal);
        },
        told: (event, facts) => this.#tell(event, facts),
        changed: (before, now) => this.#changed(server, before, now),
      },
      this.#endings.get(name) ?? Promise.resolve(),
    );
    this.#servers.set(name, server);
    if (known === undefined) this.#unlearned.add(server);
  }

  #learn(server: Server): void {
    if (!this.#begun || !this.#unlearned.delete(server)) return;
    void server.connection().catch(() => undefined);
  }

  #end(server: Server): void {
    const { name } = server;
    this.#servers.delete(name);
    const ending = server.close().then(() => {
      if (this.#endings.get(name) === ending) this.#endings.delete(name);
    });
    this.#endings.set(name, ending);
  }

  #tell(event: "mcp_server_up" | "mcp_server_down", facts: Readonly<Record<string, unknown>>): void {
    if (this.#ctx.signal.aborted) return;
    if (event === "mcp_server_up") this.#ctx.log.info(facts, "MCP server is up");
    else this.#ctx.log.warn(facts, "MCP server is down");
    this.#ctx.emit(event, facts);
  }

  #changed(server: Server, before: ToolList, now: ToolList): void {
    if (this.#servers.get(server.name) !== server) return;
    for (const { tool, reason } of now.refused.slice(0, 10))
      this.#ctx.log.warn({ server: server.name, tool, reason }, "an MCP tool is left out");
    // One after the other: the newest list is what stays.
    this.#writing = this.#writing
      .then(() => keepTools(this.#ctx, server.name, server.settings, now))
      .catch((error: unknown) =>
        this.#ctx.log.debug({ server: server.name, error }, "the tools of an MCP server could not be remembered"),
      );
    const difference = differenceOf(before, now);
    if (!difference) return;
    this.#ctx.emit("mcp_tools_changed", { server: server.name, ...difference });
    void this.#retool();
  }

  /** One change at a time; what comes meanwhile is in the next one. */
  async #retool(): Promise<void> {
    this.#stale = true;
    if (!this.#begun) return;
    this.#retooling ??= (async () => {
      while (this.#stale && this.#begun && !this.#ctx.signal.aborted) {
        this.#stale = false;
        await this.#ctx.retool(this.tools());
      }
    })()
      .catch((error: unknown) => {
        const late = GatewayError.is(error) && ["SCOPE_CLOSED", "STOPPING"].includes(error.code);
        if (!late) this.#ctx.log.error({ error }, "the tools of MCP servers could not be registered");
      })
      .finally(() => {
        this.#retooling = undefined;
      });
    await this.#retooling;
  }

  #tools(): readonly LocalTool[] {
    return localTools([...this.#servers.values()]);
  }
}

function absent(name: string, settings: ServerSettings): McpServer {
  const nothing = { tools: [], refused: [], pid: null, restarts: 0, remote: "", protocol: "", reason: "" };
  const description = plainLine(settings.description, 500);
  return { name, transport: transportWord(settings), description, state: "disabled", ...nothing };
}
