/**
 * One plugin that is set up or being set up: its scope, its config snapshot and what it registered. Only its Context
 * and the host write here; a generation reads it.
 */
import type {
  Access,
  Command,
  GatewayError,
  Health,
  Method,
  Panel,
  Plugin,
  Route,
  Stream,
  Tool,
  TSchema,
} from "@chela/sdk";
import type { Tap, TapOwner } from "../hooks.ts";
import type { StaticHandler } from "../http/static.ts";
import type { CatalogEntry } from "../plugins/entry.ts";
import { Validators } from "../validate.ts";
import { Scope } from "./scope.ts";

type AnySchema = TSchema | undefined;
export type AnyRoute = Route<AnySchema, AnySchema>;
export type AnyStream = Stream<AnySchema, AnySchema>;
export type AnyMethod = Method<AnySchema>;
export type AnyTool = Tool<TSchema>;
export type AnyCommand = Command<AnySchema>;

export interface StaticFolder {
  readonly prefix: string;
  readonly folder: string;
  readonly access: Access;
  /** Made on the first request, then kept with the instance. */
  open(): Promise<StaticHandler>;
}

export interface HealthCheck {
  readonly name: string;
  readonly check: () => Health | Promise<Health>;
}

/** What one instance registered, in order. */
export interface Contributions {
  readonly taps: Tap[];
  readonly routes: AnyRoute[];
  readonly streams: AnyStream[];
  readonly methods: AnyMethod[];
  readonly tools: AnyTool[];
  readonly commands: AnyCommand[];
  readonly panels: Panel[];
  readonly statics: StaticFolder[];
  readonly health: HealthCheck[];
  readonly services: Map<string, { readonly version: string; readonly implementation: unknown }>;
}

/** What the host knows of a plugin before any of its code runs. The catalog makes it. */
export type Manifest = CatalogEntry;

export class Instance implements TapOwner {
  readonly manifest: Manifest;
  readonly plugin: Plugin;
  readonly scope: Scope;
  readonly validators = new Validators();
  readonly contributions: Contributions = {
    taps: [],
    routes: [],
    streams: [],
    methods: [],
    tools: [],
    commands: [],
    panels: [],
    statics: [],
    health: [],
    services: new Map(),
  };
  /** Forget that the scope owns the tools; for those that come later. */
  readonly toolMarks: (() => void)[] = [];
  readonly starts: (() => void | Promise<void>)[] = [];
  readonly configListeners: ((now: never, changed: readonly string[]) => void | Promise<void>)[] = [];
  /** The instances whose services it cannot do without, by need key: the same all its life. */
  readonly uses: ReadonlyMap<string, Instance>;
  /**
   * Those of its optional needs while it is not live: what it was set up with, and after that what it was left with.
   * Undefined while it is live: then what is live with it counts.
   */
  pinned: ReadonlyMap<string, Instance> | undefined;
  /** Its services as those get them who can do without. */
  readonly standIns = new Map<string, unknown>();
  /** Always the current section, frozen. */
  config: unknown;
  /** Registration is closed once the instance is composed. */
  sealed = false;
  started = false;
  startup: { ms: number; rssDelta: number } | null = null;
  failure: GatewayError | undefined;

  constructor(manifest: Manifest, plugin: Plugin, config: unknown, uses: ReadonlyMap<string, Instance>) {
    this.manifest = manifest;
    this.plugin = plugin;
    this.config = config;
    this.uses = uses;
    this.scope = new Scope(manifest.id);
  }

  get id(): string {
    return this.manifest.id;
  }

  get critical(): boolean {
    return this.manifest.critical;
  }
}
