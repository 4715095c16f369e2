/** kill -9 around the rotation of a refresh token: the built binary, a real OAuth server, an upstream that looks at the file. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type RunningGateway, startGateway } from "../../../kit/gateway.ts";
import { httpServer } from "../../../kit/http-server.ts";
import { tempDir } from "../../../kit/temp.ts";
import { until } from "../../../kit/until.ts";
import { oauthServer, ownProvider } from "./kit.ts";

const reply = {
  id: "1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
};

async function setting() {
  const server = await oauthServer();
  const seen: { onChat?: (token: string) => void } = {};
  const upstream = await httpServer((req, res) => {
    const token = String(req.headers.authorization).replace("Bearer ", "");
    if (req.url === "/v1/chat/completions") seen.onChat?.(token);
    res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(reply));
  });
  const stateDir = tempDir("kill");
  const providers = { main: ownProvider(server, { api_base: `${upstream.origin}/v1`, models: ["m"] }) };
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(join(stateDir, "config.json"), JSON.stringify({ models: { providers } }));
  const file = join(stateDir, "auth", "acme.json");
  const session = () => JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  const refreshes = () => server.tokenRequests.filter(({ grant }) => grant === "refresh_token");
  const gateway = await startGateway({ stateDir });
  const started = await post(gateway, "/api/provider/oauth/start", { provider: "main" });
  const callback_url = await server.login(String(started.auth_url));
  const done = await post(gateway, "/api/provider/oauth/complete", { flow_id: started.flow_id, callback_url });
  expect(done).toMatchObject({ ok: true, credential_file: file });
  /** As if the token had ended. */
  const age = () =>
    writeFileSync(file, JSON.stringify({ ...session(), expire: new Date(Date.now() - 1000).toISOString() }));
  return { server, seen, stateDir, gateway, session, refreshes, age };
}

async function post(gateway: RunningGateway, path: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await gateway.fetch(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
  return (await response.json()) as Record<string, unknown>;
}

const ask = (gateway: RunningGateway) =>
  post(gateway, "/v1/chat/completions", { model: "main/m", messages: [{ role: "user", content: "hi" }] });

it("killed when a new token is first used: the file has it, and the next start goes on with it", {
  timeout: 60_000,
}, async () => {
  const { seen, stateDir, gateway, session, refreshes, age } = await setting();
  const old = session();
  age();
  const used: { token: string; stored: string | undefined }[] = [];
  seen.onChat = (token) => {
    used.push({ token, stored: session().access_token });
    gateway.signal("SIGKILL");
  };
  await ask(gateway).catch(() => undefined);
  expect(await gateway.ended).toBe("SIGKILL");
  expect(used[0]?.token).not.toBe(old.access_token);
  expect(used[0]?.stored).toBe(used[0]?.token);
  expect(session().refresh_token).not.toBe(old.refresh_token);
  seen.onChat = (token) => void used.push({ token, stored: session().access_token });
  const next = await startGateway({ stateDir });
  expect(await ask(next)).toMatchObject({ choices: [{ message: { content: "hello" } }] });
  expect(used.at(-1)?.token).toBe(used[0]?.token);
  expect(refreshes()).toHaveLength(1);
  age();
  await until(async () => {
    expect(await ask(next)).toMatchObject({ choices: [{ message: { content: "hello" } }] });
    return refreshes().length === 2;
  }, 10_000);
  expect(refreshes().map(({ status }) => status)).toEqual([200, 200]);
});

it("killed while it asks: the file is as it was, and the next start renews", { timeout: 60_000 }, async () => {
  const { server, stateDir, gateway, session, refreshes, age } = await setting();
  age();
  const before = session();
  let asked = false;
  server.beforeToken = async () => {
    asked = true;
    await gateway.ended;
    throw new Error("nobody is there any more");
  };
  const asking = ask(gateway).catch(() => undefined);
  await until(() => asked);
  gateway.signal("SIGKILL");
  await asking;
  expect(await gateway.ended).toBe("SIGKILL");
  expect(session()).toEqual(before);
  server.beforeToken = undefined;
  const next = await startGateway({ stateDir });
  expect(await ask(next)).toMatchObject({ choices: [{ message: { content: "hello" } }] });
  expect(refreshes().filter(({ status }) => status === 200)).toHaveLength(1);
  expect(readdirSync(join(stateDir, "auth"))).toEqual(["acme.json"]);
});
