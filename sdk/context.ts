/**
 * What `setup` receives. Every registration is owned by the plugin's scope from the moment of the call; closing the
 * scope releases all of it, last in first out. After that every call here throws an error whose `code` is `SCOPE_CLOSED`.
 */
import type { Static, TSchema } from "typebox";
import type { CallableHook, HookName, HookResult, HookTaps } from "./hooks.ts";
import type { Access, Identity } from "./identity.ts";
import type { Logger } from "./logger.ts";
import type { Turn } from "./messages.ts";
import type { RouteRequest } from "./request.ts";
import type { Needs, Service, Uses } from "./service.ts";

type Out<S> = S extends TSchema ? Static<S> : unknown;

/** What `ctx.route` takes: one method and path of the HTTP API. */
export interface Route<Q extends TSchema | undefined, B extends TSchema | undefined> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/api/cron`, `/v1/models/:id`, `/files/*`. */
  readonly path: string;
  readonly access: Access;
  /** One sentence for the reference. */
  readonly about?: string;
  /** The `:name` segments, for the reference: nothing is checked by it. */
  readonly params?: TSchema;
  readonly query?: Q;
  /** JSON body. Absent: the body is parsed when there is one and reaches the handler as `unknown`. */
  readonly body?: B;
  /** Shape of the reply, for `/openapi.json`. */
  readonly reply?: TSchema;
  /** Byte limit of a JSON body, default 16 MB. */
  readonly limit?: number;
  /** Of a GET whose reply has an end: HEAD is answered as well, with the same headers. */
  readonly head?: boolean;
  /**
   * Accept `multipart/form-data`; fields arrive in `body`, files in `files`. With `raw` any other body that is not said to
   * be JSON arrives as one file of the field `body`.
   */
  readonly upload?: { readonly maxFileBytes: number; readonly maxFiles: number; readonly raw?: boolean };
  /** Data becomes JSON; a `Reply` says more; undefined is 204. What cannot be sent is a 500 and a fault. */
  handler(request: RouteRequest<Out<Q>, Out<B>>): unknown;
}

/** A live WebSocket. It stays open after `open` returns, until either side closes. */
export interface Socket<Up = unknown, Down = unknown> {
  readonly id: string;
  readonly identity: Identity;
  readonly query: Readonly<Record<string, string>>;
  /** Of the request that opened it. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly address: string;
  /** Aborts when the socket closes or the plugin is stopped. */
  readonly signal: AbortSignal;
  /** Bytes that were sent and have not left yet. */
  readonly buffered: number;
  /** Sends one JSON frame. False when the socket is gone. A client that stops reading is closed at the buffer limit. */
  send(value: Down): boolean;
  /** The client's frames, parsed and validated. May be iterated once. */
  incoming(): AsyncIterableIterator<Up>;
  /** 1000 unless said otherwise; your own codes are 3000 to 4999. The reason is cut at 123 bytes. */
  close(code?: number, reason?: string): void;
}

/** What `ctx.stream` takes: one WebSocket path. Frames are JSON. */
export interface Stream<U extends TSchema | undefined, D extends TSchema | undefined> {
  readonly path: string;
  readonly access: Access;
  readonly about?: string;
  /** Schema of the client's frames. */
  readonly up?: U;
  /** Schema of our frames. */
  readonly down?: D;
  /** Bytes of a client's frame, instead of `gateway.limits.frameBytes`; not of an anonymous one's. Asked at each upgrade. */
  readonly maxFrameBytes?: number;
  /** True where a frame asks for something: each is a request to limits of its sender, the first one with the upgrade. */
  readonly asks?: boolean;
  /**
   * Frame that tells the client of a bad frame or a fault, in this stream's dialect. Default `{ok:false,error}`.
   * undefined sends nothing: then this function did, on `socket`, which it may also close.
   */
  refuse?(error: { code: string; message: string }, socket: Socket<unknown, Out<D>>): unknown;
  open(socket: Socket<Out<U>, Out<D>>): void | Promise<void>;
}

/** The caller of an RPC method. */
export interface Call {
  readonly id: string;
  readonly identity: Identity;
  readonly signal: AbortSignal;
}

/** What `ctx.method` takes: one RPC method, reached by `POST /api/call` and `chela call`. */
export interface Method<P extends TSchema | undefined> {
  /** `cron.list`. */
  readonly name: string;
  readonly access: Access;
  readonly about?: string;
  readonly params?: P;
  readonly result?: TSchema;
  handler(params: Out<P>, call: Call): unknown;
}

/** What `ctx.tool` takes: something an agent may do. */
export interface Tool<I extends TSchema> {
  /** Lower snake case. */
  readonly name: string;
  /** What it does, as the model reads it. */
  readonly about: string;
  readonly input: I;
  /** What it can break: decides about approval. */
  readonly risk: "read" | "write" | "exec";
  /** It runs other tools, which are judged one by one: `risk` is that of asking for them. */
  readonly runsOthers?: boolean;
  readonly access: Access;
  /** Milliseconds, default 120 000. */
  readonly timeoutMs?: number;
  /** Keys of `needs`: the tool is there only while these services are. */
  readonly needs?: readonly string[];
  /** The server and its own name for the tool, for tools that run elsewhere. */
  readonly remote?: { readonly server: string; readonly tool: string };
  /** Text goes to the model as it is, anything else as JSON. */
  run(input: Static<I>, turn: Turn): unknown;
}

/** A CLI command that runs in the gateway: `chela <name> …`. */
export interface Command<A extends TSchema | undefined> {
  readonly name: string;
  readonly about: string;
  readonly access: Access;
  readonly args?: A;
  /** The returned data is printed, as a table or with `--json` as it is. */
  run(args: Out<A>, call: Call): unknown;
}

/** A page in the WebUI: one ES module that registers one element. */
export interface Panel {
  readonly id: string;
  /** In English. */
  readonly title: string;
  /** The same in other languages, by locale: `{ "zh-CN": "…", "zh-TW": "…" }`. */
  readonly titles?: Readonly<Record<string, string>>;
  /** Name of a Lucide icon, such as `message-square`. */
  readonly icon?: string;
  /** Place in the navigation, the smallest first; those without one come last. */
  readonly order?: number;
  /**
   * Absolute path of the module, usually below a `ctx.static` prefix, without `gateway.basePath`. `webui:NAME` is a page that
   * comes in the WebUI's own bundle.
   */
  readonly module: string;
  readonly access: Access;
}

/** How a folder of `ctx.static` is served. */
export interface StaticOptions {
  readonly access: Access;
  /** Files named with a hash of their content (`app-B7x9Q2kd.js`) never change: browsers keep them for good. */
  readonly immutable?: boolean;
  /** Who can read it gets `FILE.br` or `FILE.gz` in the place of `FILE`; asked for by their own names these do not exist. */
  readonly compressed?: boolean;
}

/** What a health check returns; facts beside `ok` are shown as they are. */
export interface Health {
  readonly ok: boolean;
  readonly [fact: string]: unknown;
}

/** What `setup` is handed. Everything registered through it belongs to the plugin and goes with it. */
export interface Context<C = unknown, N extends Needs = Needs> {
  /** The plugin's id. */
  readonly id: string;
  /** Lines carry `plugin: id`; secrets marked in the config schema never appear. */
  readonly log: Logger;
  /** Aborts when the plugin is stopped, after its in-flight work had time to finish. */
  readonly signal: AbortSignal;
  /** Aborts before that, when the plugin is to stop: end here what would go on as long as it is let, such as an event stream. */
  readonly stopping: AbortSignal;
  /** Always the current section, frozen. Read it when you need it; do not keep a copy. */
  readonly config: C;
  /**
   * The services named in `needs`; anything else does not exist here. One that is `optional` is looked up at each use: what is
   * live now, or undefined. Its coming, going and changing restarts nobody; so do not keep it, as you would not keep `config`.
   */
  readonly use: Uses<N>;
  /** A folder of the plugin's own for files, created on first use. Absolute path. */
  readonly dataDir: string;

  /** Taps a runtime hook. Order among taps is only `"pre"` or `"post"`. */
  on<H extends HookName>(hook: H, tap: HookTaps[H], order?: "pre" | "post"): void;
  /** Whether anybody taps this hook now; asked on hot paths before its arguments are made. */
  listens(hook: CallableHook): boolean;
  /** Runs a conversation hook on what is live now. */
  call<H extends CallableHook>(hook: H, ...args: Parameters<HookTaps[H]>): HookResult<H>;

  route<Q extends TSchema | undefined = undefined, B extends TSchema | undefined = undefined>(route: Route<Q, B>): void;
  stream<U extends TSchema | undefined = undefined, D extends TSchema | undefined = undefined>(
    stream: Stream<U, D>,
  ): void;
  method<P extends TSchema | undefined = undefined>(method: Method<P>): void;
  tool<I extends TSchema>(tool: Tool<I>): void;
  /**
   * At run time: the plugin's tools, those of setup too, are from now on these. One change of what is live, without a
   * restart; calls that run finish on the tool they began with. Never await it in `setup`, `start` or `onConfig`. Throws
   * `TOOL_CONFLICT` when a name is another plugin's: then all stays as it was.
   */
  retool(tools: readonly Tool<TSchema>[]): Promise<void>;
  command<A extends TSchema | undefined = undefined>(command: Command<A>): void;
  panel(panel: Panel): void;
  /**
   * Serves a folder at a URL prefix: one of the plugin's own is `new URL("panel", import.meta.url)`. Files are fixed at setup: put
   * each build into a fresh folder.
   */
  static(prefix: string, folder: string | URL, options: StaticOptions): void;
  /** A check for `/ready`, `status` and `doctor`; it gets 2 s. */
  health(name: string, check: () => Health | Promise<Health>): void;
  /** Fulfils a contract that the manifest lists in `provides`. */
  provide<T>(service: Service<T>, implementation: T): void;

  /** Publishes an event: subscribers of `/api/events/live` get `{type, …payload}`. The payload is JSON, copied at the call. */
  emit(type: string, payload?: Record<string, unknown>): void;

  /**
   * Outward work that may exist only once (pollers, schedulers, children): runs after the previous instance let go; has 5 s.
   * Like `setup` and `onConfig` it is part of a change: ask for another one there, but never await it.
   */
  start(work: () => void | Promise<void>): void;
  /** Calls `fn` every `ms` milliseconds (24 days at most) once started. Runs never overlap; a throwing run is logged and counted. */
  every(ms: number, fn: () => void | Promise<void>): void;
  /** Watches files or folders once started. `fn` gets the changed absolute paths, debounced; its runs never overlap. */
  watch(paths: string | readonly string[], fn: (changed: readonly string[]) => void | Promise<void>): void;
  /**
   * Counts a piece of work as in flight until it settles: stopping the plugin waits for it before `signal` aborts. For what a
   * caller still reads after the call, such as a stream; requests, tool calls, taps and calls of a service are counted anyway.
   */
  work<T>(running: PromiseLike<T>): Promise<T>;
  /** Gives the scope something to release. Awaited; last in, first out. */
  own(label: string, release: () => void | Promise<void>): void;
  /** Called after a change of `hot` keys only. `changed` holds keys relative to the section. */
  onConfig(apply: (now: C, changed: readonly string[]) => void | Promise<void>): void;

  /**
   * Outbound HTTP. Private, loopback and link-local addresses are refused, also after a redirect, unless `trust` names the origin.
   * Each wait ends after 30 s and each body at 64 MiB, but with `patient`: that is for streams, whose reader keeps count himself.
   */
  fetch(url: string | URL, init?: RequestInit & { trust?: readonly string[]; patient?: boolean }): Promise<Response>;
}
