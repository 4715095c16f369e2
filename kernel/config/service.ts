/**
 * The `config` service of the SDK over a host that can apply snapshots: what is read at once, and the way to what is loaded
 * with the first change, the first editor or the first look back.
 */
import type { ChangeResult, Config, ConfigProblem } from "@chela/sdk";
import { planChanges } from "./classify.ts";
import { describeHotFields, describeSchema, describeSections } from "./describe.ts";
import { documentOf, type FileState } from "./disk.ts";
import type { ConfigDocument } from "./document.ts";
import type { ConfigFile } from "./file.ts";
import { keepRedacted } from "./keep.ts";
import { formatPath, getAt, parsePath } from "./paths.ts";
import { redact, redactAt, redactedPart, redactedView, secretsIn } from "./redact.ts";
import type { Section } from "./sections.ts";
import type { Snapshot } from "./snapshot.ts";
import { type PlainObject, plainCopy } from "./values.ts";

export type ConfigTrouble = NonNullable<ReturnType<Config["trouble"]>>;

/** What the service needs of whoever runs the config. */
export interface ConfigHost {
  readonly file: ConfigFile;
  sections(): readonly Section[];
  /** The version of the file that the host took in last; what runs may lag behind by what is pending. */
  snapshot(): Snapshot;
  /** Resolves with the live sections (`resolveConfig`). */
  resolve(document: ConfigDocument): Promise<Snapshot>;
  /** Makes it run. `failed` names only what this change broke; nothing may be thrown away before it is committed. `undoes`:
   * plugins that the change before broke, which is taken back with this one. */
  apply(next: Snapshot, why: string, who: string, undoes?: readonly string[]): Promise<ChangeResult>;
  /** The one serial queue of changes. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** Checks beyond the schemas, the `config:validate` hook among them. */
  validateSemantics(next: Snapshot): Promise<readonly ConfigProblem[]>;
  pending(): readonly string[];
  trouble(): ConfigTrouble | null;
  /** Remembers why the file on disk is not what runs (null: it is) and tells everyone. */
  setTrouble(trouble: ConfigTrouble | null): void;
}

/** What only a change needs, loaded with the first. */
const preparing = () => import("./prepare.ts");
const changing = () => import("./change.ts");
const editing = () => import("./whole.ts");
const looking = () => import("./history.ts");

export function createConfigService(host: ConfigHost): Config {
  const { file } = host;
  const view = () => redactedView(host.snapshot());
  let shown: { readonly of: Snapshot; readonly parts: Map<string, PlainObject> } | undefined;
  /** Asked for again and again by those who read one value of it. */
  const partOnce = (key: string) => {
    const of = host.snapshot();
    if (shown?.of !== of) shown = { of, parts: new Map() };
    const part = shown.parts.get(key) ?? redactedPart(of, key);
    if (Object.hasOwn(of.merged, key)) shown.parts.set(key, part);
    return part;
  };
  const fileAlone = () => {
    const known = host.snapshot();
    return redact(rawOf(host), known.schema, secretsIn(known)) as PlainObject;
  };
  return {
    path: file.path,
    view,
    file: fileAlone,
    get: (path, source) => {
      const keys = parsePath(path);
      const value = getAt(source === "file" ? fileAlone() : partOnce(keys[0] as string), keys);
      return value === undefined ? { found: false } : { found: true, value };
    },
    hash: () => file.state.hash,
    trouble: () => host.trouble(),
    problems: () => host.snapshot().problems,
    pending: () => host.pending(),
    redact: (path, value) => redactAt(host.snapshot(), path, value),
    restore: (path, value, stored) => {
      const where = formatPath(parsePath(path));
      return keepRedacted(plainCopy(value, where), { path: where, stored, live: undefined });
    },
    ...changesOf(host),
    ...versionsOf(host),
    schema: () => describeSchema(host.sections()),
    sections: () => describeSections(host.sections()),
    overrides: () => Object.fromEntries(host.snapshot().overrides),
    hotFields: () => describeHotFields(host.sections()),
  };
}

type Changes = "plan" | "planFile" | "judge" | "write" | "writeText" | "reload" | "rollback";

function changesOf(host: ConfigHost): Pick<Config, Changes> {
  const { file } = host;
  return {
    plan: async (edits) => {
      const { prepareEdits } = await preparing();
      const { next } = await prepareEdits(host, file.refresh(), edits);
      return planChanges(host.snapshot(), next, host.sections());
    },
    planFile: async (text) => (await editing()).planText(host, text),
    judge: async (text) => (await editing()).judgeText(host, text),
    write: async (edits, options) => {
      const { prepareEdits } = await preparing();
      return (await changing()).change(host, (current) => prepareEdits(host, current, edits), options);
    },
    writeText: async (text, options) => {
      const { prepareWhole } = await editing();
      const whole = (current: FileState) => prepareWhole(host, current, text, options.force === true);
      return (await changing()).change(host, whole, options, true);
    },
    reload: async (why) => {
      const { reload } = await changing();
      return host.exclusive(() => reload(host, why));
    },
    rollback: async (id, options) => {
      const chosen = file.backups.pick(id, file.refresh().hash);
      const text = file.backups.read(chosen);
      const why = options.why ?? `rollback to ${chosen}`;
      const { prepareBackup } = await preparing();
      const whole = () => prepareBackup(host, text, options.force === true);
      return (await changing()).change(host, whole, { ...options, why }, true);
    },
  };
}

function versionsOf(host: ConfigHost): Pick<Config, "text" | "backups" | "backup" | "diff"> {
  const { file } = host;
  return {
    text: async () => (await editing()).shownText(host),
    backups: async () => (await looking()).versions(file),
    backup: async (id) => (await looking()).version(file, id, host.snapshot()),
    diff: async (id) => (await looking()).diffWith(file, id, host.snapshot()),
  };
}

/** The file as it is on disk where it parses, else the last version that did. */
function rawOf(host: ConfigHost): unknown {
  try {
    return documentOf(host.file.state, host.file.path).raw;
  } catch {
    return host.snapshot().raw;
  }
}
