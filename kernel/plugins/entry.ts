/** The words of the plugin catalog: what a row holds, what the build writes for a built-in, and the error for authors. */
import { GatewayError } from "@chela/sdk";
import { nearest } from "../nearest.ts";

export interface CatalogNeed {
  readonly key: string;
  readonly service: string;
  readonly range: string;
  readonly optional: boolean;
}

export interface CatalogEntry {
  readonly id: string;
  readonly version: string;
  /** Semver range of hosts. */
  readonly host: string;
  readonly about: string;
  readonly critical: boolean;
  /** Dotted path of its section in the config. */
  readonly section: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly hot: readonly string[];
  readonly needs: readonly CatalogNeed[];
  readonly provides: readonly { readonly id: string; readonly version: string }[];
  readonly enabledByDefault: boolean;
  readonly origin: "builtin" | "installed" | "path";
  /** Its folder; empty for a plugin that exists in memory only. */
  readonly root: string;
  /** The file to import. */
  readonly entry: string;
  /** Of its content; empty in memory. */
  readonly hash: string;
  /** Empty, or why it cannot run and what to do. */
  readonly problem: string;
  readonly state?: "incompatible" | "failed";
}

/** What the build writes per built-in plugin. `file` is relative to the distribution; `distribution()` makes it absolute. */
export type BuiltinManifest = Omit<CatalogEntry, "origin" | "root" | "entry"> & { readonly file: string };

export function manifestError(message: string, details: Record<string, unknown> = {}, cause?: unknown): GatewayError {
  return new GatewayError("PLUGIN_MANIFEST", 422, message, details, { cause });
}

/** `PLUGIN_UNKNOWN` (404), with the nearest name. */
export function pluginUnknown(id: string, known: readonly string[]): GatewayError {
  const near = nearest(id, known);
  const hint = near === null ? "chela plugins list shows what is there." : `Did you mean ${near}?`;
  return new GatewayError(
    "PLUGIN_UNKNOWN",
    404,
    `There is no plugin "${id}". ${hint}`,
    near === null ? {} : { nearest: near },
  );
}

/** What package.json promised before any code ran must be what the code says. */
export function assertSame(
  facts: Pick<CatalogEntry, "id" | "version">,
  manifest: Pick<CatalogEntry, "id" | "version">,
): void {
  for (const field of ["id", "version"] as const) {
    if (facts[field] === manifest[field]) continue;
    throw manifestError(
      `Plugin "${facts.id}": package.json says ${field} "${facts[field]}", definePlugin says "${manifest[field]}". Make them the same.`,
      { plugin: facts.id, field },
    );
  }
}
