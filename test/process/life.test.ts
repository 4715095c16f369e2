/** The life of the process: token, signals, reload by file, faults, kill -9, safe mode. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectTo } from "@chela/sdk/testing";
import { describe, expect, it } from "vitest";
import { runCli } from "../kit/cli.ts";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";

async function stop(gateway: RunningGateway): Promise<void> {
  gateway.signal("SIGTERM");
  expect(await gateway.ended).toBe(0);
}

async function call(gateway: RunningGateway, method: string, params: unknown = {}): Promise<unknown> {
  const reply = await gateway.fetch("/api/call", { method: "POST", body: JSON.stringify({ method, params }) });
  return ((await reply.json()) as { result: unknown }).result;
}

async function chat(gateway: RunningGateway, message: string): Promise<string> {
  const reply = await gateway.fetch("/api/chat", {
    method: "POST",
    body: JSON.stringify({ session: "main", message }),
  });
  expect(reply.status).toBe(200);
  return ((await reply.json()) as { reply: string }).reply;
}

async function history(gateway: RunningGateway): Promise<string[]> {
  const reply = await gateway.fetch("/api/chat/history?session=main");
  return ((await reply.json()) as { messages: { content: string }[] }).messages.map(({ content }) => content);
}

describe("token", () => {
  it("is printed once with the URL, kept 0600, and survives restarts", async () => {
    const first = await startGateway();
    expect(first.output().stdout).toContain(`?token=${first.token}`);
    expect(first.output().stderr).not.toContain(first.token);
    await stop(first);
    const second = await startGateway({ stateDir: first.stateDir });
    expect(second.token).toBe(first.token);
    expect(second.output().stdout + second.output().stderr).not.toContain(first.token);
  });

  it("is not printed where another one counts", async () => {
    const gateway = await startGateway({ env: { CHELA_GATEWAY_TOKEN: "a-token-of-the-operator" } });
    expect(gateway.output().stdout).not.toContain("?token=");
    expect((await gateway.fetch("/api/version", { token: gateway.token })).status).toBe(401);
    expect((await gateway.fetch("/api/version", { token: "a-token-of-the-operator" })).status).toBe(200);
  });
});

describe("signals", () => {
  it("SIGUSR1 and SIGHUP reload the config; the inspector stays closed", async () => {
    const gateway = await startGateway({ env: { CHELA_GATEWAY_RELOAD_DEBOUNCEMS: "60000" } });
    const file = join(gateway.stateDir, "config.json");
    for (const [signal, level] of [
      ["SIGUSR1", "debug"],
      ["SIGHUP", "warn"],
    ] as const) {
      writeFileSync(file, JSON.stringify({ logging: { level } }));
      gateway.signal(signal);
      await until(async () => {
        const view = (await (await gateway.fetch("/api/config")).json()) as { logging: { level: string } };
        return view.logging.level === level;
      });
    }
    expect(gateway.output().stderr).not.toContain("Debugger listening");
  });

  it("SIGTERM lets a request in flight finish, answers /ready with 503, then ends with 0", async () => {
    const gateway = await startGateway();
    const slow = chat(gateway, "/slow 600");
    await until(async () => (await history(gateway)).length === 1);
    gateway.signal("SIGTERM");
    expect(await slow).not.toBe("");
    expect(await gateway.ended).toBe(0);
  });

  it("a second signal ends it within a second", async () => {
    const gateway = await startGateway();
    void chat(gateway, "/slow 20000").catch(() => undefined);
    await until(async () => (await history(gateway)).length === 1);
    gateway.signal("SIGTERM");
    await until(() => gateway.output().stderr.includes("stopping"));
    const from = performance.now();
    gateway.signal("SIGTERM");
    await gateway.ended;
    expect(performance.now() - from).toBeLessThan(1000);
  });
});

describe("the config file", () => {
  it("a broken file is told on the event stream and in status; the last good config stays; repair clears it", async () => {
    const gateway = await startGateway();
    const file = join(gateway.stateDir, "config.json");
    const events = await connectTo(`${gateway.url.replace("http", "ws")}/api/events/live`, {
      authorization: `Bearer ${gateway.token}`,
    });
    expect(await events.next()).toMatchObject({ type: "ready" });
    const temp = `${file}.editor`;
    writeFileSync(temp, '{ "logging": { "level": ');
    renameSync(temp, file);
    expect(await events.next()).toMatchObject({ type: "config_error", line: 1 });
    expect(await call(gateway, "gateway.status")).toMatchObject({ config: { trouble: { line: 1 } } });
    const write = await gateway.fetch("/api/config", {
      method: "POST",
      body: JSON.stringify({ logging: { level: "warn" } }),
    });
    expect(write.status).toBe(400);
    expect(readFileSync(file, "utf8")).toBe('{ "logging": { "level": ');
    const reload = await runCli(["config", "reload"], { env: { CHELA_STATE_DIR: gateway.stateDir } });
    expect(reload.code).not.toBe(0);
    writeFileSync(file, '{ "logging": { "level": "warn" } }');
    await until(
      async () => ((await call(gateway, "gateway.status")) as { config: { trouble: unknown } }).config.trouble === null,
    );
    expect((await gateway.fetch("/health")).status).toBe(200);
  });

  it("a value that is not valid is refused as a whole, named, and the plugin keeps running", async () => {
    const gateway = await startGateway();
    writeFileSync(join(gateway.stateDir, "config.json"), '{ "logging": { "max_size_mb": -1 } }');
    const status = await until(async () => {
      const now = (await call(gateway, "gateway.status")) as { config: { trouble: { message: string } | null } };
      return now.config.trouble;
    });
    expect(status.message).toContain("logging.max_size_mb must");
    expect(await call(gateway, "plugins.list")).toContainEqual(
      expect.objectContaining({ id: "logs", state: "running" }),
    );
  });
});

describe("kill -9", () => {
  it("loses no acknowledged message, and the next start serves the history", async () => {
    const first = await startGateway();
    for (const word of ["one", "two", "three"]) await chat(first, `/echo ${word}`);
    first.signal("SIGKILL");
    await first.ended;
    const second = await startGateway({ stateDir: first.stateDir });
    expect(await history(second)).toEqual(["/echo one", "one", "/echo two", "two", "/echo three", "three"]);
  });

  it("at random moments leaves a config that parses and a store that opens", async () => {
    const stateDir = tempDir("kill");
    for (let round = 0; round < 5; round += 1) {
      const gateway = await startGateway({ stateDir });
      const writes = Array.from({ length: 20 }, (_, i) =>
        gateway
          .fetch("/api/config", {
            method: "POST",
            body: JSON.stringify({ logging: { retention_days: round * 20 + i + 1 } }),
          })
          .catch(() => undefined),
      );
      void Promise.all([chat(gateway, "/echo hello").catch(() => ""), ...writes]);
      await until(() => performance.now() % 7 < 3);
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
    const last = await startGateway({ stateDir });
    expect((await last.fetch("/api/config")).status).toBe(200);
    // Each had come up: none of this is a crashed boot.
    expect(await call(last, "gateway.status")).toMatchObject({ safeMode: false });
    expect(await call(last, "store.integrity")).toMatchObject({ problems: [] });
  });
});

describe("safe mode", () => {
  it("comes after three boots that crashed, says how to leave, and the next start tries everything again", async () => {
    const stateDir = tempDir("safe");
    const now = Date.now();
    writeFileSync(join(stateDir, "boot.json"), JSON.stringify({ crashes: [now - 3, now - 2], startingSince: now - 1 }));
    const safe = await startGateway({ stateDir });
    const list = (await call(safe, "plugins.list")) as { id: string; state: string }[];
    expect(
      list
        .filter(({ state }) => state === "running")
        .map(({ id }) => id)
        .sort(),
    ).toEqual(["api-config", "logs", "webui"]);
    expect(await call(safe, "gateway.status")).toMatchObject({
      safeMode: true,
      safeModeReason: expect.stringContaining("restart") as string,
    });
    await stop(safe);
    const normal = await startGateway({ stateDir });
    expect(await chat(normal, "/echo back")).toBe("back");
  });
});

it("a start says what is not configured and where it listens, unless it is told to keep quiet", {
  timeout: 60_000,
}, async () => {
  const args = ["--config", join(tempDir(), "no-such.json"), "--bind", "lan"];
  const loud = await startGateway({ args });
  await until(() => loud.output().stderr.includes("no model provider is configured"), 10_000);
  expect(loud.output().stderr).toContain("no-such.json does not exist; defaults apply");
  expect(loud.output().stderr).toContain("and on every address of this machine");
  const quiet = await startGateway({ args: [...args, "--allow-unconfigured"] });
  await until(() => quiet.output().stderr.includes('"ready"'), 10_000);
  await stop(quiet);
  expect(quiet.output().stderr).not.toMatch(/does not exist|no model provider/);
});
