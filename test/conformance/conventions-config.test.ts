/** What outsiders rely on in the config: versions over HTTP, a file that does not parse, signals, the bare environment. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type RunningGateway, ready, spawnGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { pauseFor, until } from "../kit/until.ts";
import { askAsOwner, freshGateway, gatewayForAll, type Talk, talk } from "./kit.ts";

const level = async (gateway: RunningGateway) =>
  ((await askAsOwner(gateway, "/api/config")).json() as { logging: { level?: string } }).logging.level;

/** As an editor saves: a new file takes the name. */
function edit(gateway: RunningGateway, text: string): void {
  const file = join(gateway.stateDir, "config.json");
  writeFileSync(`${file}~`, text);
  renameSync(`${file}~`, file);
}

describe("the version of the config", () => {
  const gateway = gatewayForAll({ config: { logging: { level: "info" } } });
  const read = async () => {
    const { headers } = await askAsOwner(gateway(), "/api/config");
    return String(headers.etag);
  };
  const save = (days: number, headers: Record<string, string> = {}, query = "") =>
    askAsOwner(gateway(), `/api/config${query}`, { headers, body: { logging: { retention_days: days } } });

  it("is the ETag of every reading, quoted, and changes with each change", async () => {
    const first = await read();
    expect(first).toMatch(/^"[0-9a-f]{64}"$/);
    for (const mode of ["?mode=normalized", "?mode=hot"]) {
      expect((await askAsOwner(gateway(), `/api/config${mode}`)).headers.etag).toBe(first);
    }
    const saved = await save(21);
    const { hash } = saved.json() as { hash: string };
    expect(saved.headers.etag).toBe(`"${hash}"`);
    expect(await read()).toBe(`"${hash}"`);
    expect(hash).not.toBe(first.slice(1, -1));
  });

  it("travels in If-Match or ?baseHash=; a stale one is 409 with the current hash, and nothing is written", async () => {
    const stale = await read();
    expect((await save(22, { "if-match": stale })).status).toBe(200);
    const now = await read();
    const hash = now.slice(1, -1);
    const refused = [
      await save(23, { "if-match": stale }),
      await save(23, { "if-match": stale.slice(1, -1) }),
      await save(23, {}, `?baseHash=${stale.slice(1, -1)}`),
      await save(23, { "if-match": '"nonsense"' }),
      await askAsOwner(gateway(), "/api/config?mode=normalized", {
        headers: { "if-match": stale },
        body: { core: {} },
      }),
    ];
    for (const answer of refused) {
      expect(answer.status).toBe(409);
      expect(answer.json()).toMatchObject({ ok: false, hash, error: expect.stringMatching(/\S/) as unknown });
    }
    expect(await read()).toBe(now);
    const accepted = [
      await save(24, { "if-match": now }),
      await save(25, {}, `?baseHash=${(await read()).slice(1, -1)}`),
      await save(26, { "if-match": "*" }),
      await save(27),
    ];
    expect(accepted.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it("lets one of two clients win that read the same version", async () => {
    const tag = await read();
    const both = await Promise.all([31, 32].map((days) => save(days, { "if-match": tag })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});

describe("while the file on disk does not parse", () => {
  it("the last good one runs, nothing is saved over it, status and events say so, also to who comes later", async () => {
    const gateway = await freshGateway({ config: { logging: { level: "warn" } } });
    const events = await talk(gateway, "/api/events/live");
    const { seq } = await events.frame();
    const text = '{\n  // half typed\n  "logging": { "level": ';
    edit(gateway, text);
    const told = await nextOf(events, "config_error");
    expect(told).toMatchObject({ line: 3, message: expect.stringMatching(/\S/) as unknown });
    expect(await level(gateway)).toBe("warn");
    for (const body of [{ logging: { level: "debug" } }, {}]) {
      const answer = await askAsOwner(gateway, "/api/config", { body });
      if (Object.keys(body).length > 0) expect(answer.status).toBe(400);
    }
    const forced = await askAsOwner(gateway, "/api/config?force=1", { body: { logging: { level: "debug" } } });
    expect(forced.status).toBe(400);
    expect(readFileSync(join(gateway.stateDir, "config.json"), "utf8")).toBe(text);
    expect((await askAsOwner(gateway, "/api/status")).json()).toMatchObject({ config: { trouble: { line: 3 } } });
    const late = await talk(gateway, `/api/events/live?since=${Number(seq)}`);
    expect(await nextOf(late, "config_error")).toEqual(told);
    edit(gateway, '{ "logging": { "level": "debug" } }');
    await until(async () => (await level(gateway)) === "debug");
    expect((await askAsOwner(gateway, "/api/status")).json()).toMatchObject({ config: { trouble: null } });
  });
});

const nextOf = (events: Talk, type: string) =>
  until(() => events.waiting.splice(0).find((frame) => frame.type === type), 5000, type);

describe("gateway.reload.debounceMs", () => {
  it("is waited for, and a change of it counts for the next edit", async () => {
    const wanted = (debounceMs: number, level: string) =>
      JSON.stringify({ gateway: { reload: { debounceMs } }, logging: { level } });
    const gateway = await freshGateway({ config: { gateway: { reload: { debounceMs: 0 } } } });
    edit(gateway, wanted(0, "error"));
    await until(async () => (await level(gateway)) === "error");
    const from = performance.now();
    edit(gateway, wanted(1500, "debug"));
    await until(async () => (await level(gateway)) === "debug");
    expect(performance.now() - from).toBeLessThan(1400);
    edit(gateway, wanted(1500, "warn"));
    await pauseFor(700);
    expect(await level(gateway)).toBe("debug");
    await until(async () => (await level(gateway)) === "warn");
  });
});

describe("signals", () => {
  it("SIGUSR1 and SIGHUP reload at once; neither opens the inspector nor ends the gateway", async () => {
    const gateway = await freshGateway({ config: { gateway: { reload: { debounceMs: 60_000 } } } });
    for (const [signal, wanted] of [
      ["SIGUSR1", "warn"],
      ["SIGHUP", "debug"],
    ] as const) {
      edit(gateway, JSON.stringify({ gateway: { reload: { debounceMs: 60_000 } }, logging: { level: wanted } }));
      gateway.signal(signal);
      await until(async () => (await level(gateway)) === wanted);
    }
    expect(gateway.output().stderr).not.toContain("Debugger");
    expect(gateway.child.exitCode).toBeNull();
  });
});

describe("the environment", () => {
  it("needs nothing but HOME, TMPDIR, PATH, CHELA_STATE_DIR and CHELA_CONFIG", async () => {
    const stateDir = tempDir("bare");
    const config = join(tempDir("bare-config"), "chela.json");
    writeFileSync(config, '{ /* comments, too */ "models": { "discovery": { "enabled": false } }, }');
    const gateway = spawnGateway({
      stateDir,
      only: {
        HOME: tempDir("bare-home"),
        TMPDIR: tmpdir(),
        PATH: process.env.PATH ?? "",
        CHELA_STATE_DIR: stateDir,
        CHELA_CONFIG: config,
      },
    });
    try {
      await ready(gateway);
      expect((await askAsOwner(gateway, "/api/chat", { body: { message: "/echo hi" } })).json()).toMatchObject({
        reply: "hi",
      });
      expect((await askAsOwner(gateway, "/api/status")).json()).toMatchObject({ configPath: config, stateDir });
      expect((await askAsOwner(gateway, "/api/config", { body: { logging: { level: "warn" } } })).status).toBe(200);
      expect(readFileSync(config, "utf8")).toContain("comments, too");
    } finally {
      gateway.signal("SIGTERM");
      expect(await gateway.ended).toBe(0);
    }
  });

  it("says nothing on the terminal but the address once and lines of the log", async () => {
    const gateway = await freshGateway();
    await askAsOwner(gateway, "/api/chat", { body: { message: "/echo hi" } });
    await askAsOwner(gateway, "/api/call", { body: { method: "store.integrity", params: {} } });
    gateway.signal("SIGTERM");
    expect(await gateway.ended).toBe(0);
    const { stdout, stderr } = gateway.output();
    expect(stdout.trim().split("\n")).toHaveLength(2);
    for (const line of stderr.trim().split("\n")) {
      expect(() => JSON.parse(line) as unknown, line).not.toThrow();
      expect(JSON.parse(line), line).toMatchObject({ level: "INFO" });
    }
  });
});
