/** What every built-in plugin owes, discovered from the folders: no list to forget. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { manifestOf } from "../../kernel/plugins/manifest.ts";

const folder = join(import.meta.dirname, "../../plugins");
const ids = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const all: Plugin[] = await Promise.all(
  ids.map(async (id) => ((await import(`../../plugins/${id}/index.ts`)) as { default: Plugin }).default),
);
const env = { CHELA_DISCOVERY: "off" };
const who = { who: "test" };

function state(host: TestHost, id: string): string | undefined {
  return host.plugins.list().find((row) => row.id === id)?.state;
}

/** Another value that the schema accepts, for a key of a plain type. */
function otherValue(schema: Record<string, unknown>, now: unknown): unknown {
  if (schema.type === "boolean") return !now;
  if (schema.type === "integer" || schema.type === "number") {
    const value = Number(now);
    return schema.maximum !== undefined && value + 1 > Number(schema.maximum) ? value - 1 : value + 1;
  }
  return undefined;
}

function plainKeys(plugin: Plugin): { key: string; schema: Record<string, unknown>; hot: boolean }[] {
  const { schema, hot } = manifestOf(plugin);
  const properties = (schema.properties ?? {}) as Record<string, Record<string, unknown>>;
  return Object.entries(properties)
    .filter(([, one]) => one.type === "boolean" || one.type === "integer" || one.type === "number")
    .map(([key, one]) => ({ key, schema: one, hot: hot.includes("*") || hot.includes(key) }));
}

describe.each(all.map((plugin) => [plugin.id, plugin] as const))("%s", (id, plugin) => {
  it("says the same in its folder name, package.json and definition", async () => {
    const { default: manifest } = (await import(`../../plugins/${id}/package.json`, { with: { type: "json" } })) as {
      default: { chela: { id: string; host: string }; version: string };
    };
    expect(ids).toContain(plugin.id);
    expect(manifest.chela).toEqual({ id: plugin.id, host: plugin.host });
    expect(manifest.version).toBe(plugin.version);
  });

  it("starts on defaults, and off and on twenty times leaves the census identical", async () => {
    await using host = await startHost({ plugins: all, env });
    expect(state(host, id)).toBe("running");
    const before = host.census();
    for (let i = 0; i < 20; i += 1) {
      await host.plugins.disable(id, "test");
      expect(state(host, id)).toBe("disabled");
      await host.plugins.enable(id, "test");
      expect(state(host, id)).toBe("running");
    }
    expect(host.census()).toEqual(before);
    expect(host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);
  });

  it("each hot key applies without a restart, each other key restarts only this plugin and who needs it", async () => {
    await using host = await startHost({ plugins: all, env });
    for (const { key, schema, hot } of plainKeys(plugin)) {
      const path = `${manifestOf(plugin).section}.${key}`;
      const value = otherValue(schema, host.config.get(path, "merged").value);
      const result = await host.config.write([{ path, value }], who);
      if (hot) expect(result, path).toMatchObject({ applied: [path], restarted: [] });
      else expect(result.restarted, path).toContain(id);
      expect(state(host, id)).toBe("running");
    }
  });

  it("a broken section turns it off with the reason, and the host lives", async () => {
    const section = manifestOf(plugin).section.split(".");
    const config = section.reduceRight<unknown>((inner, key) => ({ [key]: inner }), "not an object") as Record<
      string,
      unknown
    >;
    await using host = await startHost({ plugins: all, env, config });
    expect(["failed", "waiting"]).toContain(state(host, id));
    expect((await host.request("/health")).status).toBe(200);
  });
});
