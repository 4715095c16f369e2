/** ClawGo contract §1.2, §2.2 to §2.4: saving and reloading the config as its clients do. */
import { once } from "node:events";
import { readFileSync, utimesSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunningGateway } from "../kit/gateway.ts";
import { pauseFor, until } from "../kit/until.ts";
import { ask, askAsOwner, type Frame, freshGateway, type Talk, talk } from "./kit.ts";

type Tree = { readonly [key: string]: never };

const onDisk = (gateway: RunningGateway) =>
  JSON.parse(readFileSync(join(gateway.stateDir, "config.json"), "utf8")) as Tree;
const save = (gateway: RunningGateway, body: unknown, query = "") =>
  askAsOwner(gateway, `/api/config${query}`, { body, headers: { "content-type": "application/json" } });
const nextChange = (events: Talk) => until(() => changesIn(events.waiting.splice(0))[0]);
const changesIn = (frames: readonly Frame[]) => frames.filter(({ type }) => type === "config_changed");

/** A port that somebody else listens on, until it is disposed of. */
async function squat(): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: async () => void (await once(server.close(), "close")) };
}

async function freePort(): Promise<number> {
  await using taken = await squat();
  return taken.port;
}

describe("A1: POST /api/config, raw", () => {
  it("is 200 with unknown keys in it; what it names is persisted; the reload happens once", async () => {
    const gateway = await freshGateway();
    const events = await talk(gateway, "/api/events/live");
    expect(await events.frame()).toMatchObject({ type: "ready" });
    const answer = await save(gateway, {
      gateway: { host: "127.0.0.1", token: "" },
      channels: { telegram: { enabled: true, token: "123:abc" } },
      logging: { level: "debug", no_such_key: 1 },
      no_such_section: { kept: [1, "two"] },
    });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      ok: true,
      applied: expect.arrayContaining(["logging.level"]) as unknown,
      restarted: expect.any(Array) as unknown,
      pending: [],
      failed: [],
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
    });
    expect(onDisk(gateway)).toMatchObject({
      gateway: { host: "127.0.0.1" },
      channels: { telegram: { enabled: true, token: "123:abc" } },
      logging: { level: "debug", no_such_key: 1 },
      no_such_section: { kept: [1, "two"] },
    });
    expect(await nextChange(events)).toMatchObject({ source: "webui" });
    await pauseFor(400);
    expect(changesIn(events.waiting)).toEqual([]);
  });

  it("keeps what the body does not name (deliberate: ClawGo reset it)", async () => {
    const gateway = await freshGateway({ config: { logging: { retention_days: 9 }, mine: { x: 1 } } });
    expect((await save(gateway, { logging: { max_size_mb: 7 } })).json()).toMatchObject({ ok: true });
    expect(onDisk(gateway)).toEqual({ logging: { retention_days: 9, max_size_mb: 7 }, mine: { x: 1 } });
  });

  it("takes back what GET gave, secrets and all, and changes nothing", async () => {
    const config = {
      models: { providers: { p: { api_base: "http://127.0.0.1:9/v1", api_key: "sk-1", models: ["m"] } } },
    };
    const gateway = await freshGateway({ config });
    const shown = await askAsOwner(gateway, "/api/config");
    expect(shown.text).not.toContain("sk-1");
    expect((await save(gateway, shown.json())).json()).toMatchObject({ ok: true, applied: [], restarted: [] });
    expect(onDisk(gateway)).toEqual(config);
  });

  it("obeys the example of the API document, and no client is locked out by its empty token", async () => {
    const gateway = await freshGateway();
    const { port } = new URL(gateway.url);
    const answer = await save(gateway, { gateway: { host: "0.0.0.0", port: Number(port), token: "" } });
    expect(answer.json()).toMatchObject({ ok: true });
    expect((await askAsOwner(gateway, "/api/version")).status).toBe(200);
    expect((await ask(gateway, "/api/version")).status).toBe(401);
  });
});

describe("A2: POST /api/config whose reload fails", () => {
  it("is 400 with the reason, and what ran before still runs, on disk as well", async () => {
    const config = { logging: { retention_days: 5 } };
    const gateway = await freshGateway({ config });
    const file = join(gateway.stateDir, "in-the-way");
    writeFileSync(file, "");
    const answer = await save(gateway, { store: { path: join(file, "chela.db") } });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("in-the-way");
    expect(onDisk(gateway)).toEqual(config);
    expect((await askAsOwner(gateway, "/api/chat", { body: { message: "/echo on" } })).json()).toMatchObject({
      reply: "on",
    });
  });

  it("is 400 for a port that is taken, and the old port stays open", async () => {
    const gateway = await freshGateway();
    await using squatter = await squat();
    const answer = await save(gateway, { gateway: { port: squatter.port } });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(`port ${squatter.port}`);
    expect((await askAsOwner(gateway, "/api/version")).status).toBe(200);
  });
});

describe("A3: POST /api/config?mode=normalized", () => {
  it("maps core.gateway, tools, router and a provider into the file", async () => {
    const gateway = await freshGateway({
      config: { models: { providers: { openai: { api_base: "https://api.openai.com/v1", models: ["gpt-5.4"] } } } },
    });
    const events = await talk(gateway, "/api/events/live");
    await events.frame();
    const port = await freePort();
    const answer = await save(
      gateway,
      {
        core: {
          default_provider: "openai",
          default_model: "gpt-5.4",
          main_agent_id: "main",
          gateway: { host: "127.0.0.1", port },
          tools: { shell_enabled: false, mcp_enabled: false },
        },
        runtime: {
          router: { enabled: true, strategy: "rules_first", max_hops: 4, default_timeout_sec: 120, rules: [] },
          providers: { openai: { api_base: "http://127.0.0.1:9/v1", timeout_sec: 33, auth: "bearer" } },
        },
      },
      "?mode=normalized",
    );
    expect(answer.json()).toMatchObject({ ok: true });
    expect(onDisk(gateway)).toMatchObject({
      gateway: { host: "127.0.0.1", port },
      tools: { shell: { enabled: false } },
      agents: { defaults: { model: { primary: "openai/gpt-5.4" } }, router: { enabled: true, max_hops: 4 } },
      models: { providers: { openai: { api_base: "http://127.0.0.1:9/v1", timeout_sec: 33, models: ["gpt-5.4"] } } },
    });
    expect(await nextChange(events)).toMatchObject({ source: "webui" });
    // The port was in the view, so the gateway has moved there.
    gateway.url = `http://127.0.0.1:${port}`;
    const view = (await askAsOwner(gateway, "/api/config?mode=normalized")).json();
    expect(view).toMatchObject({
      ok: true,
      config: {
        core: { tools: { shell_enabled: false }, gateway: { port }, default_provider: "openai" },
        runtime: { router: { enabled: true, max_hops: 4 }, providers: { openai: { timeout_sec: 33 } } },
      },
    });
  });
});

describe("C8: the watcher", () => {
  it("makes three quick writes one reload, and a touch none", async () => {
    const gateway = await freshGateway({ config: { logging: { retention_days: 1 } } });
    const file = join(gateway.stateDir, "config.json");
    const events = await talk(gateway, "/api/events/live");
    await events.frame();
    for (const days of [2, 3, 4]) writeFileSync(file, JSON.stringify({ logging: { retention_days: days } }));
    await nextChange(events);
    await until(async () => (await askAsOwner(gateway, "/api/config")).text.includes('"retention_days": 4'));
    utimesSync(file, new Date(), new Date());
    await pauseFor(500);
    expect(changesIn(events.waiting)).toEqual([]);
  });
});
