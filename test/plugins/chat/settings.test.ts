/** No key of `agents.*` is taken and has no effect, but for those that say so. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { kept } from "../../../plugins/chat/agent/team/team-settings.ts";
import { AgentsConfig } from "../../../plugins/chat/settings.ts";

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** Every key with its place; `*` stands for names that the operator chooses. */
function* keysOf(schema: Schema, path: string): Iterable<readonly [path: string, schema: Schema]> {
  const inner = [
    ...Object.entries(schema.properties ?? {}),
    ...Object.values(schema.patternProperties ?? {}).map((value) => ["*", value] as const),
    ...(schema.items ? [["*", schema.items] as const] : []),
  ];
  const isLeaf = !inner.some(([, value]) => value.properties || value.patternProperties || value.description);
  if (isLeaf || schema.description?.startsWith(kept)) return yield [path, schema];
  for (const [key, value] of inner) yield* keysOf(value, `${path}.${key}`);
}

const keys = [...keysOf(AgentsConfig as unknown as Schema, "agents")];
const withoutEffect = keys.filter(([, { description }]) => description?.startsWith(kept)).map(([path]) => path);

it("each says what it does", () => {
  expect(keys.length).toBeGreaterThan(60);
  const silent = keys.filter(([path, { description }]) => !description && !path.endsWith(".*")).map(([path]) => path);
  expect(silent).toEqual([]);
});

it("those without an effect are these, and the guide lists them in both languages", () => {
  expect(withoutEffect.sort()).toEqual([
    "agents.communication",
    "agents.defaults.context_compaction.mode",
    "agents.defaults.execution.run_state_max",
    "agents.defaults.execution.run_state_ttl_seconds",
    "agents.defaults.heartbeat",
    "agents.defaults.summary_policy",
    "agents.list",
    "agents.router.policy",
    "agents.subagents.*.requires_main_mediation",
    "agents.subagents.*.transport",
    "agents.subagents.*.type",
  ]);
  for (const page of ["docs/agent.md", "docs/zh-CN/agent.md"]) {
    const text = readFileSync(join(import.meta.dirname, "../../..", page), "utf8");
    const missing = withoutEffect.filter(
      (path) => !text.includes(`\`${path.replace("agents.", "").replace("*", "ID")}\``),
    );
    expect(missing, page).toEqual([]);
  }
});

it("every other one is set by a test", () => {
  const texts = ["chat", "workspace"].flatMap((area) => {
    const folder = join(import.meta.dirname, "..", area);
    const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts") && name !== "settings.test.ts");
    return files.map((name) => readFileSync(join(folder, name), "utf8"));
  });
  const all = texts.join("\n");
  const unset = keys
    .map(([path]) => path)
    .filter((path) => !withoutEffect.includes(path) && !path.endsWith(".*"))
    .filter((path) => !new RegExp(`\\b${path.split(".").at(-1)}\\b`).test(all));
  expect(unset).toEqual([]);
});
