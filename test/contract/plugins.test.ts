/** What every built-in plugin owes, discovered from the folders: no list to forget. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { definePlugin, type Plugin } from "@chela/sdk";
import { startHost, type TestHost } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { manifestOf } from "../../kernel/plugins/manifest.ts";
import { until } from "../kit/until.ts";

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

type Schema = Readonly<Record<string, unknown>>;

/** Another value that the schema accepts, for a key of a plain type; undefined for the others. */
function otherValue(schema: Schema, now: unknown): unknown {
  if (schema.type === "boolean") return !now;
  const choices = (schema.anyOf as Schema[] | undefined)?.map((one) => one.const) ?? [];
  if (choices.length > 1 && !choices.includes(undefined)) return choices.find((one) => one !== now);
  if (schema.type !== "integer" && schema.type !== "number") return undefined;
  const value = Number(now ?? schema.minimum ?? 1);
  const most = Number(schema.maximum ?? schema.exclusiveMaximum ?? Number.POSITIVE_INFINITY);
  const step = schema.type === "number" && most <= 1 ? 0.05 : 1;
  return value + step > most ? value - step : value + step;
}

/** Every key of a plain type, however deep. */
function plainKeys(plugin: Plugin): { key: string; schema: Schema; hot: boolean }[] {
  const { schema, hot } = manifestOf(plugin);
  const below = (one: Schema, path: readonly string[]): { key: string; schema: Schema; hot: boolean }[] => {
    const inner = Object.entries((one.properties ?? {}) as Record<string, Schema>);
    if (inner.length > 0) return inner.flatMap(([key, each]) => below(each, [...path, key]));
    if (otherValue(one, one.default) === undefined) return [];
    return [{ key: path.join("."), schema: one, hot: hot.includes("*") || hot.includes(path[0] as string) }];
  };
  return below(schema, []);
}

/** Holds what it is told to hold, just before it goes out. */
class Holder {
  #open: () => void = () => undefined;
  readonly #gate = new Promise<void>((resolve) => {
    this.#open = resolve;
  });
  held = 0;

  readonly plugin = definePlugin({
    id: "holder",
    version: "1.0.0",
    host: "^1.0.0",
    setup: (ctx) => {
      ctx.on("http:reply", async (reply, request) => {
        if (request.headers["x-hold"] === undefined) return reply;
        this.held += 1;
        await this.#gate;
        return reply;
      });
    },
  });

  let(): void {
    this.#open();
  }
}

/** A path of its own that answers without being told anything. */
async function plainPath(host: TestHost, id: string): Promise<string | undefined> {
  const paths = Object.entries(host.gateway.openapi().paths as Record<string, { get?: { tags?: string[] } }>);
  for (const [path, { get }] of paths) {
    if (!get?.tags?.includes(id) || path.includes("{")) continue;
    if ((await host.request(path)).status === 200) return path;
  }
  return undefined;
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

  it("off with a request in flight waits for it, and then answers clearly", async () => {
    const holder = new Holder();
    await using host = await startHost({ plugins: [...all, holder.plugin], env });
    const path = await plainPath(host, id);
    if (path === undefined) return;
    const answer = host.request(path, { headers: { "x-hold": "1" } });
    await until(() => holder.held === 1);
    let isOff = false;
    const off = host.plugins.disable(id, "test").then(() => {
      isOff = true;
    });
    await until(() => state(host, id) === "disabled");
    expect([404, 503]).toContain((await host.request(path)).status);
    expect(isOff).toBe(false);
    holder.let();
    expect(await answer).toMatchObject({ status: 200 });
    await off;
    await host.plugins.enable(id, "test");
    expect((await host.request(path)).status).toBe(200);
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
