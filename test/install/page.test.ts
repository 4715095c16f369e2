/** What a page in the browser does with plugins: upload one, install by name, see what is outdated, update, and watch. */
import { on } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Outdated } from "@chela/sdk";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { pluginFiles, tarball } from "./kit.ts";
import { Registry } from "./registry.ts";

async function upload(gateway: RunningGateway, file: Blob, field = "file", name = "weather-1.0.0.tgz") {
  const body = new FormData();
  body.append(field, file, name);
  const reply = await gateway.fetch("/api/plugins/upload", {
    method: "POST",
    body,
    headers: { accept: "application/json" },
  });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
}

async function call(gateway: RunningGateway, method: string, params: object = {}) {
  const reply = await gateway.fetch("/api/call", { method: "POST", body: JSON.stringify({ method, params }) });
  return (await reply.json()) as { result?: unknown; error?: { code: string; message: string } };
}

/** What the event stream remembers of the installs of one source. */
async function steps(gateway: RunningGateway, source: string): Promise<string[]> {
  const socket = new WebSocket(`${gateway.url.replace("http", "ws")}/api/events/live?since=0`, {
    headers: { authorization: `Bearer ${gateway.token}` },
  });
  const frames: Record<string, unknown>[] = [];
  for await (const [data] of on(socket, "message")) {
    frames.push(JSON.parse(String(data)) as Record<string, unknown>);
    if (frames.length > 1 && frames.at(-1)?.seq === frames[0]?.seq) break;
  }
  socket.close();
  const mine = frames.filter((frame) => frame.type === "plugin_install" && frame.source === source);
  return mine.map(({ state, id }) => (id === undefined ? String(state) : `${String(state)} ${String(id)}`));
}

const tgz = (version: string) => new Blob([readFileSync(tarball(pluginFiles({ version })))]);

it("uploads a plugin by the one way to install, told step by step, and leaves no temporary file", {
  timeout: 60_000,
}, async () => {
  const gateway = await startGateway();
  const done = await upload(gateway, tgz("1.0.0"));
  expect(done).toMatchObject({
    status: 200,
    body: { ok: true, id: "weather", version: "1.0.0", previous: null, changed: true, result: { failed: [] } },
  });
  expect((await gateway.fetch("/api/weather")).status).toBe(200);
  const [again, upgrade] = [
    await upload(gateway, tgz("1.0.0")),
    await upload(gateway, tgz("1.1.0"), "file", "../ü b.tgz"),
  ];
  expect(again.body).toMatchObject({ changed: false });
  expect(upgrade.body).toMatchObject({ version: "1.1.0", previous: "1.0.0", changed: true });

  const junk = await upload(gateway, new Blob(["no archive"]), "file", "junk.tgz");
  expect([junk.status, junk.body.code]).toEqual([422, "PLUGIN_ARCHIVE"]);
  expect((await upload(gateway, tgz("1.0.0"), "other")).status).toBe(400);
  expect(readdirSync(join(gateway.stateDir, "tmp"))).toEqual([]);
  expect((await call(gateway, "plugins.update", { id: "weather" })).error).toMatchObject({
    code: "PLUGIN_SOURCE",
    message: expect.stringContaining("upload"),
  });
  expect((await call(gateway, "plugins.update", { id: "chat" })).error?.code).toBe("PLUGIN_SOURCE");
  expect((await call(gateway, "plugins.outdated")).result).toEqual([]);
  expect((await call(gateway, "plugins.info", { id: "weather" })).result).toMatchObject({
    origin: "installed",
    removable: true,
  });
  expect(await steps(gateway, "weather-1.0.0.tgz")).toEqual([
    "started",
    "unpacking",
    "checking",
    "done weather",
    "started",
    "unpacking",
    "done weather",
  ]);
  expect(await steps(gateway, "-b.tgz")).toContain("done weather");
  expect(await steps(gateway, "junk.tgz")).toEqual(["started", "unpacking", "failed"]);
});

it("installs by name, sees a newer version inside the range, and updates to it", { timeout: 60_000 }, async () => {
  const registry = new Registry(tempDir("registry"));
  onTestFinished(() => registry.close());
  await registry.listen();
  registry.publish(pluginFiles({ name: "@me/weather" }));
  const stateDir = tempDir("gateway");
  writeFileSync(join(stateDir, ".npmrc"), `registry=${registry.url}\n`);
  const gateway = await startGateway({ stateDir });
  const source = "@me/weather@^1.0.0";
  expect((await call(gateway, "plugins.install", { source })).result).toMatchObject({ version: "1.0.0" });
  registry.publish(pluginFiles({ name: "@me/weather", version: "1.1.0" }));
  registry.publish(pluginFiles({ name: "@me/weather", version: "2.0.0" }));
  const rows = (await call(gateway, "plugins.outdated")).result as Outdated[];
  expect(rows).toEqual([{ id: "weather", installed: "1.0.0", latest: "1.1.0", source }]);
  const reply = await gateway.fetch("/api/plugins", {
    method: "POST",
    body: JSON.stringify({ action: "update", id: "weather" }),
  });
  expect(await reply.json()).toMatchObject({ ok: true, version: "1.1.0", previous: "1.0.0", changed: true });
  expect((await steps(gateway, source)).slice(0, 5)).toEqual([
    "started",
    "fetching",
    "unpacking",
    "checking",
    "done weather",
  ]);
});
