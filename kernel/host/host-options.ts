/** What a host is made of: where plugins come from, where its state lies, and what a process lends it. */
import type { Context, Plugin } from "@chela/sdk";
import type { Clock } from "../clock.ts";
import type { Section } from "../config/sections.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { Manifest } from "../instance/instance.ts";
import type { Log } from "../log.ts";

/** Where plugins come from; kernel/plugins makes the real one. */
export interface Catalog {
  entries(): readonly Manifest[];
  load(id: string): Promise<Plugin>;
  refresh(): Promise<void>;
}

export interface HostOptions {
  readonly stateDir: string;
  readonly catalog: Catalog;
  readonly snapshot: Snapshot;
  readonly sections: () => readonly Section[];
  /** The same file read with the sections of now: after plugins came or went. */
  readonly resolveAgain: (snapshot: Snapshot) => Promise<Snapshot>;
  readonly log: Log;
  readonly clock: Clock;
  /** The token used when the config names none. */
  readonly generatedToken: string;
  /** `--port` and `--bind` of the command line; they yield to a later change of the same key. */
  readonly overrides?: { readonly port?: number; readonly host?: string };
  /** Empty, or why only kernel, api-config, logs and webui run. */
  readonly safeMode?: string;
  /** For the N-th failure test: wraps each plugin's Context. */
  readonly wrapContext?: (context: Context<unknown>, id: string) => Context<unknown>;
  readonly version: string;
}
