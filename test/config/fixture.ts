/** A config service over a host that only remembers: what was applied, and what is to fail. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChangeResult, type Config, type ConfigProblem, GatewayError, Type } from "@chela/sdk";
import { expect } from "vitest";
import { planChanges } from "../../kernel/config/classify.ts";
import { documentOf } from "../../kernel/config/disk.ts";
import type { ConfigDocument } from "../../kernel/config/document.ts";
import { ConfigFile } from "../../kernel/config/file.ts";
import { kernelSections, type Section } from "../../kernel/config/sections.ts";
import { type ConfigTrouble, createConfigService } from "../../kernel/config/service.ts";
import { resolveConfig, resolveText, type SectionValidator, type Snapshot } from "../../kernel/config/snapshot.ts";
import { sectionProblems } from "../../kernel/validate.ts";
import { tempDir } from "../kit/temp.ts";

const Provider = Type.Object({
  api_base: Type.String(),
  api_key: Type.Optional(Type.String({ secret: true })),
  timeout_sec: Type.Integer({ minimum: 1, default: 90 }),
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
  accounts: Type.Optional(
    Type.Array(Type.Object({ id: Type.String(), token: Type.String({ secret: true }) }), { default: [] }),
  ),
  spare_keys: Type.Optional(Type.Array(Type.String({ secret: true }))),
});

export const sections: readonly Section[] = [
  ...kernelSections,
  {
    owner: "providers",
    path: "models",
    schema: Type.Object({ providers: Type.Record(Type.String(), Provider, { default: {} }) }) as never,
    hot: ["providers.*.timeout_sec"],
  },
  {
    owner: "logs",
    path: "logging",
    schema: Type.Object({
      level: Type.Union([Type.Literal("debug"), Type.Literal("info"), Type.Literal("warn")], { default: "info" }),
      dir: Type.String({ default: "logs" }),
    }) as never,
    hot: ["*"],
  },
  {
    owner: "cron",
    path: "cron",
    schema: Type.Object({
      maxWorkers: Type.Integer({ minimum: 1, default: 4 }),
      sleep: Type.Object({ min: Type.Number({ default: 1 }), max: Type.Number({ default: 30 }) }),
    }) as never,
    hot: ["maxWorkers"],
  },
  {
    owner: "demo",
    path: "plugins.entries.demo.config",
    schema: Type.Object({
      greeting: Type.String({ default: "hello" }),
      password: Type.String({ default: "", secret: true }),
      target: Type.Union(
        [
          Type.Object({ kind: Type.Literal("http"), secretUrl: Type.String({ secret: true }) }),
          Type.Object({ kind: Type.Literal("file"), path: Type.String() }),
        ],
        { default: { kind: "file", path: "out" } },
      ),
    }) as never,
    hot: ["greeting"],
  },
];

export const validate: SectionValidator = (_owner, schema, value) => sectionProblems(schema, value);

/** The snapshot of a text (an object is written as JSON). */
export function snapshotOf(
  value: string | Record<string, unknown> | null,
  env: Record<string, string> = {},
  previous?: Snapshot,
): Promise<Snapshot> {
  const text = value === null || typeof value === "string" ? value : JSON.stringify(value);
  return resolveText(text, "config.json", { sections, env, validate, previous });
}

export interface Fixture {
  readonly dir: string;
  readonly path: string;
  readonly file: ConfigFile;
  readonly config: Config;
  readonly applied: { hash: string; why: string; who: string }[];
  /** The next applications answer with this failure, or throw it. */
  failing: { id: string; reason: string } | Error | null;
  /** Extra semantic problems, as `config:validate` taps would add them. */
  semantics: (merged: Readonly<Record<string, unknown>>) => readonly ConfigProblem[];
  snapshot(): Snapshot;
  onDisk(): string;
  edit(text: string): void;
}

export async function open(
  value: string | Record<string, unknown> | null = {},
  env: Record<string, string> = {},
): Promise<Fixture> {
  const dir = tempDir("config");
  const path = join(dir, "config.json");
  if (value !== null) writeFileSync(path, typeof value === "string" ? value : `${JSON.stringify(value, null, 2)}\n`);
  return openAt(dir, path, env);
}

async function openAt(dir: string, path: string, env: Record<string, string> = {}): Promise<Fixture> {
  const file = await ConfigFile.open({ stateDir: dir, configPath: path });
  const resolve = (document: ConfigDocument) => resolveConfig(document, { sections, env, validate });
  let snapshot = await resolve(documentOf(file.state, path));
  let trouble: ConfigTrouble | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  const fixture: Omit<Fixture, "config"> & { config?: Config } = {
    dir,
    path,
    file,
    applied: [],
    failing: null,
    semantics: () => [],
    snapshot: () => snapshot,
    onDisk: () => readFileSync(path, "utf8"),
    edit: (text) => writeFileSync(path, text),
  };
  fixture.config = createConfigService({
    file,
    sections: () => sections,
    snapshot: () => snapshot,
    resolve,
    apply: (next, why, who): Promise<ChangeResult> => {
      const applied = planChanges(snapshot, next, sections).map((row) => row.path);
      const { failing } = fixture;
      fixture.failing = null;
      if (failing instanceof Error) return Promise.reject(failing);
      snapshot = next;
      fixture.applied.push({ hash: next.hash, why, who });
      return Promise.resolve({
        applied,
        restarted: [],
        pending: [],
        failed: failing ? [failing] : [],
        hash: next.hash,
      });
    },
    exclusive: (work) => {
      const run = queue.then(work);
      queue = run.catch(() => undefined);
      return run;
    },
    validateSemantics: ({ merged }) => Promise.resolve(fixture.semantics(merged)),
    pending: () => [],
    trouble: () => trouble,
    setTrouble: (next) => {
      trouble = next;
    },
  });
  return fixture as Fixture;
}

/** The GatewayError that the work is refused with. */
export async function refusal(work: Promise<unknown> | (() => unknown)): Promise<GatewayError> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    expect(GatewayError.is(error), String(error)).toBe(true);
    return error as GatewayError;
  }
  throw new Error("it was not refused");
}
