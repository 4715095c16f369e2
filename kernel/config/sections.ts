/** Who owns which part of the file, and the one schema that all parts make together. */
import { isObject } from "@chela/sdk";
import { GatewaySection, PluginsSection } from "./gateway-schema.ts";
import { type ConfigPath, parsePath, startsWith } from "./paths.ts";
import { childSchemas, type Schema } from "./schema-walk.ts";
import { oncePer } from "./values.ts";

export interface Section {
  /** Plugin id; `gateway` and `plugins` are the kernel's. */
  readonly owner: string;
  /** Dotted. */
  readonly path: string;
  readonly schema: Schema;
  /** Keys below the section that apply live; `"*"` means all. */
  readonly hot: readonly string[];
  readonly critical?: boolean;
}

/** The kernel's own sections; a host puts them before those of its plugins. */
export const kernelSections: readonly Section[] = [
  { owner: "gateway", path: "gateway", schema: GatewaySection as unknown as Schema, hot: ["*"], critical: true },
  { owner: "plugins", path: "plugins", schema: PluginsSection as unknown as Schema, hot: ["*"], critical: true },
];

export function isKernelOwner(owner: string): boolean {
  return kernelSections.some((section) => section.owner === owner);
}

/** Its path, taken apart. */
export const keysOf = oncePer(({ path }: Section): ConfigPath => parsePath(path));

/** The section that owns a path: the deepest one around it. */
export function sectionOf(path: ConfigPath, sections: readonly Section[]): Section | undefined {
  let found: Section | undefined;
  let depth = 0;
  for (const section of sections) {
    const prefix = keysOf(section);
    if (prefix.length <= depth || !startsWith(path, prefix)) continue;
    found = section;
    depth = prefix.length;
  }
  return found;
}

/** One schema for the whole file, the same for the same list. A section inside another one's takes its place there. */
export const composeSchema = oncePer((sections: readonly Section[]): Schema => {
  const known = { $schema: { type: "string" }, configVersion: { type: "integer", minimum: 1 } };
  let root: Schema = { type: "object", properties: known, default: {} };
  const placed = sections.map((section) => ({ section, path: parsePath(section.path) }));
  for (const { section, path } of placed.sort((a, b) => a.path.length - b.path.length)) {
    root = place(root, path, section.schema);
  }
  return root;
});

/** Every object on the way has a default, so that a section's defaults show when the file does not name it. */
function place(node: Schema | undefined, path: ConfigPath, schema: Schema): Schema {
  const [key, ...rest] = path;
  if (key === undefined) return withDefault(schema);
  const base: Schema = node ?? { type: "object" };
  const properties = isObject(base.properties) ? base.properties : {};
  const [child] = childSchemas([base], key);
  return withDefault({ ...base, properties: { ...properties, [key]: place(child, rest, schema) } });
}

function withDefault(schema: Schema): Schema {
  return schema.type === "object" && schema.default === undefined ? { ...schema, default: {} } : schema;
}
