/**
 * One server, supervised: at most one process or connection, started when somebody needs it, started again with growing
 * pauses when it dies, ended for good by `close`. Its tools are known from the last time it was up.
 */
import { GatewayError, type McpServer, messageOf } from "@chela/sdk";
import type { ServerSettings } from "../settings.ts";
import { transportWord } from "../settings.ts";
import type { Connection, ConnectionListener } from "./connect.ts";
import { plainLine } from "./plain.ts";
import { boundTools, type ToolList } from "./tools.ts";

const firstPauseMs = 500;
const longestPauseMs = 60_000;
/** After so many starts in vain nobody tries again before somebody asks. */
const maxFailures = 8;
/** A server that was up this long has nothing to make up for. */
const soundMs = 60_000;
/** Lists are asked for again at most this often, whatever the server announces. */
const relistMs = 2000;
/** A call waits for a start that is as near as this. */
const nearMs = 2000;

export interface ServerHost {
  connect(listener: ConnectionListener, signal: AbortSignal): Promise<Connection>;
  /** It is up or down. */
  told(event: "mcp_server_up" | "mcp_server_down", facts: Readonly<Record<string, unknown>>): void;
  /** Its tools are others now. */
  changed(before: ToolList, now: ToolList): void;
}

export class Server {
  readonly name: string;
  readonly settings: ServerSettings;
  readonly #host: ServerHost;
  /** The one before it, under the same name, is gone. */
  readonly #after: Promise<void>;
  readonly #ending = new AbortController();
  /** Of the start that is under way. */
  #attempt = new AbortController();
  #known: ToolList;
  #connection: Connection | undefined;
  #starting: Promise<Connection> | undefined;
  /** The connection before is over, and its process gone. */
  #gone: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #failures = 0;
  #starts = 0;
  #upSince = 0;
  #reason = "";
  #remote = { name: "", protocol: "" };
  #listing: NodeJS.Timeout | undefined;

  constructor(
    {
      name,
      settings,
      known,
    }: { readonly name: string; readonly settings: ServerSettings; readonly known: ToolList | undefined },
    host: ServerHost,
    after: Promise<void>,
  ) {
    this.name = name;
    this.settings = settings;
    this.#known = known ?? { tools: [], refused: [] };
    this.#host = host;
    this.#after = after;
  }

  get known(): ToolList {
    return this.#known;
  }

  facts(tools: readonly string[]): McpServer {
    return {
      name: this.name,
      transport: transportWord(this.settings),
      description: plainLine(this.settings.description, 500),
      state: this.#state,
      reason: this.#connection ? "" : this.#reason,
      tools,
      refused: this.#known.refused,
      pid: this.#connection?.pid ?? null,
      restarts: Math.max(0, this.#starts - 1),
      remote: this.#remote.name,
      protocol: this.#remote.protocol,
    };
  }

  get #state(): McpServer["state"] {
    if (this.#connection) return "up";
    if (this.#starting) return "starting";
    if (this.#timer) return "waiting";
    return this.#reason === "" ? "idle" : "failed";
  }

  /** The connection, started when there is none. Waits no longer than `signal` says; the start goes on for others. */
  async connection(signal?: AbortSignal): Promise<Connection> {
    if (this.#connection) return this.#connection;
    const left = this.#due - Date.now();
    if (!this.#starting && left > nearMs) {
      const when = this.#timer ? `; it is started again in ${Math.ceil(left / 1000)} s` : "";
      throw new GatewayError("MCP_SERVER_DOWN", 503, `MCP server "${this.name}" is down: ${this.#reason}${when}`);
    }
    return await orAborted(this.#start(), signal);
  }

  /** The same, whatever pause there would be before the next start. */
  async connectionNow(signal?: AbortSignal): Promise<Connection> {
    this.#due = 0;
    return await this.connection(signal);
  }

  async restart(): Promise<void> {
    this.#attempt.abort(new GatewayError("MCP_SERVER_DOWN", 503, `MCP server "${this.name}" is being restarted`));
    await this.#starting?.catch(() => undefined);
    const connection = this.#connection;
    this.#failures = 0;
    this.#due = 0;
    if (connection) this.#down(connection, "restarted by hand");
    await this.#start();
  }

  /** For good. Resolves when its process is gone. */
  async close(): Promise<void> {
    this.#ending.abort(new GatewayError("MCP_SERVER_DOWN", 503, `MCP server "${this.name}" was stopped`));
    clearTimeout(this.#timer);
    clearTimeout(this.#listing);
    this.#timer = undefined;
    await this.#starting?.catch(() => undefined);
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close().catch(() => undefined);
    await Promise.all([this.#after, this.#gone]);
  }

  #start(): Promise<Connection> {
    this.#starting ??= this.#open().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #open(): Promise<Connection> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await Promise.all([this.#after, this.#gone]);
    this.#ending.signal.throwIfAborted();
    this.#starts += 1;
    this.#attempt = new AbortController();
    const signal = AbortSignal.any([this.#ending.signal, this.#attempt.signal]);
    let opened: Connection | undefined;
    try {
      const connection = await this.#host.connect({ changed: () => this.#relist() }, signal);
      opened = connection;
      const listed = boundTools(await connection.list("tools", signal));
      signal.throwIfAborted();
      this.#up(connection, listed);
      return connection;
    } catch (error) {
      await opened?.close().catch(() => undefined);
      signal.throwIfAborted();
      this.#failed(error);
      const message = `MCP server "${this.name}" does not start: ${this.#reason}`;
      throw new GatewayError("MCP_SERVER_DOWN", 503, message, undefined, { cause: error });
    }
  }

  #up(connection: Connection, listed: ToolList): void {
    this.#connection = connection;
    this.#upSince = Date.now();
    this.#due = 0;
    this.#remote = { name: connection.remote, protocol: connection.protocol };
    const restarts = this.#starts - 1;
    this.#host.told("mcp_server_up", { server: this.name, tools: listed.tools.length, restarts });
    this.#take(listed);
    void connection.closed.then((reason) => this.#lost(connection, reason));
  }

  #lost(connection: Connection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#down(connection, reason);
    this.#again();
  }

  #down(connection: Connection, reason: string): void {
    this.#connection = undefined;
    this.#gone = connection.close().catch(() => undefined);
    clearTimeout(this.#listing);
    this.#listing = undefined;
    if (Date.now() - this.#upSince > soundMs) this.#failures = 0;
    this.#reason = reason;
    this.#host.told("mcp_server_down", { server: this.name, reason });
  }

  #failed(error: unknown): void {
    this.#reason = plainLine(messageOf(error), 1000) || "it does not start";
    const code = GatewayError.is(error) ? error.code : "";
    // What only the operator can mend is not tried again and again.
    if (["CHILD_NOT_FOUND", "CHILD_ENV", "MCP_CONFIG"].includes(code)) this.#failures = maxFailures;
    this.#host.told("mcp_server_down", { server: this.name, reason: this.#reason });
    this.#again();
  }

  #again(): void {
    this.#failures += 1;
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#failures - 1, 10));
    if (this.#ending.signal.aborted) return;
    if (this.#failures > maxFailures) {
      this.#due = Date.now() + nearMs + firstPauseMs;
      return;
    }
    this.#due = Date.now() + pause;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#start().catch(() => undefined);
    }, pause);
  }

  /** It says that its tools are others: asked for once, a little later, however often it says so. */
  #relist(): void {
    this.#listing ??= setTimeout(async () => {
      this.#listing = undefined;
      const connection = this.#connection;
      const listed = await connection?.list("tools", this.#ending.signal).catch(() => undefined);
      if (listed && this.#connection === connection) this.#take(boundTools(listed));
    }, relistMs);
  }

  #take(now: ToolList): void {
    const before = this.#known;
    this.#known = now;
    this.#host.changed(before, now);
  }
}

/** The value, or the signal's reason when that comes first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const done = () => signal.removeEventListener("abort", abort);
    work.then(resolve, reject).finally(done);
  });
}
