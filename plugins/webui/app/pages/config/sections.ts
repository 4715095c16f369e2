/** The sections of the config, each with its owner: what the forms are made of. */
import { call } from "../../client/http.ts";
import type { Schema } from "../../parts/schema-form/schema.ts";

export interface Section {
  /** Dotted. */
  readonly path: string;
  readonly owner: string;
  readonly schema: Schema;
  /** Patterns of the keys that apply at once, below the section. */
  readonly hot: readonly string[];
  /** What applies now, defaults included. */
  readonly value?: unknown;
}

/** A plugin without settings has no section to show. */
export async function readSections(signal: AbortSignal): Promise<readonly Section[]> {
  const sections = await call<readonly Section[]>("config.sections", {}, { signal });
  const hasKeys = ({ schema }: Section) =>
    Object.keys({ ...schema.properties, ...schema.patternProperties }).length > 0;
  return sections.filter(hasKeys).sort((a, b) => a.path.localeCompare(b.path));
}
