/** Hostile uploads of plugins, as a client sends them: each is refused, leaves nothing behind, and the gateway goes on. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { until } from "../kit/until.ts";
import { type Entry, pluginFiles, tar } from "./kit.ts";

const files = (version = "1.0.0", more: Readonly<Record<string, string>> = {}): Entry[] =>
  Object.entries(pluginFiles({ version, files: more })).map(([name, text]) => ({ path: `package/${name}`, text }));
const packed = (...entries: readonly Entry[]) => gzipSync(tar([...files(), ...entries]));

async function upload(gateway: RunningGateway, bytes: Buffer, name = "weather.tgz") {
  const body = new FormData();
  body.append("file", new Blob([new Uint8Array(bytes)]), name);
  const headers = { accept: "application/json" };
  const reply = await gateway.fetch("/api/plugins/upload", { method: "POST", body, headers });
  return { status: reply.status, ...((await reply.json()) as { code?: string; error?: string; version?: string }) };
}

async function installed(
  gateway: RunningGateway,
): Promise<{ id: string; version: string; state: string; reason: string }[]> {
  const reply = await gateway.fetch("/api/plugins");
  const { plugins } = (await reply.json()) as {
    plugins: { id: string; version: string; state: string; reason: string; origin: string }[];
  };
  return plugins.filter(({ origin }) => origin === "installed");
}

/** What is below a folder of the state dir, but for what is meant to be there. */
function left({ stateDir }: RunningGateway): string[] {
  const [temporary, plugins] = ["tmp", "plugins"].map((name) => join(stateDir, name)) as [string, string];
  const names = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);
  return [...names(temporary), ...names(plugins).filter((name) => name.startsWith(".staging"))];
}

it("is refused with why, whatever the archive tries", { timeout: 60_000 }, async () => {
  const gateway = await startGateway();
  const link = (linkpath: string): Entry => ({ path: "package/link", type: "SymbolicLink", linkpath });
  const attacks: readonly (readonly [name: string, bytes: Buffer, why: string])[] = [
    ["a bomb", packed({ path: "package/zeros", text: "\0".repeat(30 * 1024 * 1024) }), "times its size"],
    ["a bomb in a bomb", gzipSync(packed()), "more than once"],
    ["10,000 files", packed(...Array.from({ length: 10_000 }, (_, n) => ({ path: `package/${n}` }))), "5000 files"],
    ["a lying header", packed({ path: "package/huge", text: "x", size: 2 ** 33 }), "in one file"],
    ["a way out", packed({ path: "package/../../../escaped.txt", text: "x" }), "`..`"],
    ["an absolute path", packed({ path: join(gateway.stateDir, "escaped.txt"), text: "x" }), "absolute"],
    ["a link", packed(link("/etc/passwd")), "is a link"],
    ["through a link", packed(link(gateway.stateDir), { path: "package/link/escaped.txt", text: "x" }), "is a link"],
    ["a hard link", packed({ path: "package/hard", type: "Link", linkpath: "package/index.js" }), "is a link"],
    ["a pipe", packed({ path: "package/pipe", type: "FIFO" }), "FIFO"],
    ["no archive", Buffer.from("<html>not found</html>"), "not a sound .tgz"],
    ["nothing", Buffer.alloc(0), "not a sound .tgz"],
    ["a half", packed().subarray(0, 300), "not a sound .tgz"],
  ];
  for (const [name, bytes, why] of attacks) {
    const told = await upload(gateway, bytes, `${name}.tgz`);
    expect([name, told.status, told.code]).toEqual([name, 422, "PLUGIN_ARCHIVE"]);
    expect(told.error, name).toContain(why);
    expect(told.error, name).not.toContain(join(gateway.stateDir, "tmp"));
  }
  const stranger = await gateway.fetch("/api/plugins/upload", { method: "POST", body: new FormData(), token: null });
  expect(stranger.status).toBe(401);
  expect(await installed(gateway)).toEqual([]);
  expect(left(gateway)).toEqual([]);
  expect(existsSync(join(gateway.stateDir, "escaped.txt"))).toBe(false);
  expect((await upload(gateway, packed())).status).toBe(200);
});

it("that is cut off in the middle leaves nothing, and the next one is installed", { timeout: 60_000 }, async () => {
  const gateway = await startGateway();
  const { hostname, port } = new URL(gateway.url);
  const bytes = packed();
  const part = 'content-disposition: form-data; name="file"; filename="weather.tgz"\r\n\r\n';
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const head = [
    "POST /api/plugins/upload HTTP/1.1",
    "host: x",
    `authorization: Bearer ${gateway.token}`,
    "content-type: multipart/form-data; boundary=cut",
    `content-length: ${bytes.length + 1000}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n--cut\r\n${part}`);
  socket.write(bytes.subarray(0, bytes.length / 2));
  await until(() => left(gateway).length === 1, 15_000);
  socket.destroy();
  await until(() => left(gateway).length === 0, 15_000);
  expect(await installed(gateway)).toEqual([]);
  expect(await upload(gateway, bytes)).toMatchObject({ status: 200, version: "1.0.0" });
});

it("of one plugin twice at once ends with one whole version that runs", { timeout: 60_000 }, async () => {
  const gateway = await startGateway();
  const bodies = ["1.0.0", "1.0.0", "1.1.0", "2.0.0"].map((version) => gzipSync(tar(files(version))));
  const answers = await Promise.all(bodies.map((body) => upload(gateway, body)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const [row, ...others] = await installed(gateway);
  expect(others).toEqual([]);
  expect(row).toMatchObject({ id: "weather", state: "running", reason: "" });
  const { version } = (await (await gateway.fetch("/api/weather")).json()) as { version: string };
  expect(version).toBe(row?.version);
  const lock = JSON.parse(readFileSync(join(gateway.stateDir, "plugins/lock.json"), "utf8")) as {
    plugins: Record<string, { version: string; folder: string }>;
  };
  expect(lock.plugins.weather?.version).toBe(version);
  expect(existsSync(join(gateway.stateDir, "plugins", lock.plugins.weather?.folder ?? "", "package.json"))).toBe(true);
  expect(left(gateway)).toEqual([]);
});
