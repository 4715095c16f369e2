/** How commands find and speak to a gateway: whose token goes where, and what every kind of bad answer becomes. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { runMain } from "../kit/cli.ts";
import { httpServer, type TestServer } from "../kit/http-server.ts";
import { tempDir, writeTree } from "../kit/temp.ts";

type Answer = { status?: number; headers?: Record<string, string>; body: string };

function ok(result: unknown): Answer {
  return { body: JSON.stringify({ ok: true, result }) };
}

async function fakeGateway(answer: (method: string, params: unknown) => Answer): Promise<TestServer> {
  return httpServer((_req, res, body) => {
    const { method, params } = JSON.parse(body) as { method: string; params: unknown };
    const { status = 200, headers = {}, body: text } = answer(method, params);
    res.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
  });
}

/** A state dir whose gateway.json points at `url`, served by this very process. */
function stateFor(url: string, files: Record<string, string> = {}): string {
  const stateDir = tempDir();
  const facts = { pid: process.pid, host: "127.0.0.1", port: Number(new URL(url).port), url, startedAt: 1 };
  writeTree(stateDir, { "gateway.json": JSON.stringify(facts), ...files });
  return stateDir;
}

const config = (gateway: object) => JSON.stringify({ gateway });

type Texts = Record<string, string>;
const reference = `$${"{SECRET}"}`;

test.each<[string, [flags: string[], env: Texts, files: Texts], string | undefined]>([
  ["nothing", [[], {}, {}], undefined],
  ["the generated token", [[], {}, { token: "generated\n" }], "generated"],
  ["ClawGo's place", [[], {}, { token: "generated", "config.json": config({ token: "old" }) }], "old"],
  ["auth.token over it", [[], {}, { "config.json": config({ token: "old", auth: { token: "new" } }) }], "new"],
  ["a reference", [[], { SECRET: "env" }, { "config.json": config({ auth: { token: reference } }) }], "env"],
  ["the password", [[], {}, { token: "generated", "config.json": config({ auth: { password: "pw" } }) }], "pw"],
  [
    "the token, by mode",
    [[], {}, { "config.json": config({ auth: { mode: "token", password: "pw", token: "t" } }) }],
    "t",
  ],
  ["the environment's", [[], { CHELA_GATEWAY_TOKEN: "env" }, { "config.json": config({ token: "old" }) }], "env"],
  ["the flag's", [["--token", "flag"], { CHELA_GATEWAY_TOKEN: "env" }, { token: "generated" }], "flag"],
  ["the generated one past a broken config", [[], {}, { token: "generated", "config.json": "{" }], "generated"],
])("the token is %s", async (_name, [flags, env, files], expected) => {
  const server = await fakeGateway(() => ok({}));
  const result = await runMain(["call", "x", ...flags], {
    env: { ...env, CHELA_STATE_DIR: stateFor(server.origin, files) },
  });
  expect(result.code).toBe(0);
  expect(server.seen[0]?.headers.authorization).toBe(expected && `Bearer ${expected}`);
});

test("an address given by hand gets the token given by hand, and local secrets only on this machine", async () => {
  const server = await fakeGateway(() => ok({}));
  const stateDir = stateFor(server.origin, { token: "generated", "config.json": config({ auth: { token: "mine" } }) });
  const env = { CHELA_STATE_DIR: stateDir };
  await runMain(["call", "x", "--url", server.origin], { env });
  await runMain(["call", "x", "--url", server.origin, "--token", "given"], { env });
  await runMain(["call", "x"], { env: { ...env, CHELA_GATEWAY_URL: `${server.origin}/` } });
  expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
    "Bearer mine",
    "Bearer given",
    "Bearer mine",
  ]);
  const { tokenFor } = await import("../../kernel/cli/credentials.ts");
  const cli = { io: { env: {} }, flags: {}, places: { stateDir, configPath: join(stateDir, "config.json") } };
  for (const url of [
    "https://example.com",
    "http://10.0.0.1:1",
    "http://127.0.0.1.evil.test:1",
    "http://localhost.evil.test",
  ]) {
    expect(await tokenFor(cli as never, url), url).toBeUndefined();
  }
  const own = stateFor("http://192.0.2.7:18790", { token: "generated" });
  const there = { ...cli, places: { stateDir: own, configPath: join(own, "config.json") } };
  expect(await tokenFor(there as never, "http://192.0.2.7:18790")).toBe("generated");
  expect(await tokenFor(there as never, "http://192.0.2.7:18791")).toBeUndefined();
});

test("the token does not follow a redirect", async () => {
  const thief = await httpServer((_req, res) => res.end("{}"));
  const server = await fakeGateway(() => ({
    status: 307,
    headers: { location: `${thief.origin}/api/call` },
    body: "",
  }));
  const result = await runMain(["call", "x", "--token", "t"], { env: { CHELA_STATE_DIR: stateFor(server.origin) } });
  expect(result.code).toBe(69);
  expect(thief.seen).toEqual([]);
});

const refusal = (code: string, message: string) =>
  JSON.stringify({ ok: false, error: { code, message, details: { a: 1 } } });

test.each<[Answer, number, string, string]>([
  [{ status: 404, body: refusal("METHOD_UNKNOWN", 'unknown method "x".') }, 1, "METHOD_UNKNOWN", 'unknown method "x".'],
  [
    { status: 403, body: JSON.stringify({ ok: false, error: "write needed", code: "FORBIDDEN" }) },
    1,
    "FORBIDDEN",
    "write needed",
  ],
  [
    { status: 401, body: JSON.stringify({ ok: false, error: "unauthorized" }) },
    1,
    "UNAUTHORIZED",
    "CHELA_GATEWAY_TOKEN",
  ],
  [{ status: 401, body: "unauthorized\n" }, 1, "UNAUTHORIZED", "CHELA_GATEWAY_TOKEN"],
  [{ status: 200, body: "<html>hello</html>" }, 1, "GATEWAY_REPLY", "no Chela reply"],
  [{ status: 200, body: "null" }, 1, "GATEWAY_REPLY", "no Chela reply"],
  [{ status: 502, body: "" }, 1, "GATEWAY_REPLY", "status 502"],
])("the answer %j: exit %i, %s", async (answer, code, name, text) => {
  const server = await fakeGateway(() => answer);
  const env = { CHELA_STATE_DIR: stateFor(server.origin) };
  const human = await runMain(["call", "x"], { env });
  expect(human).toMatchObject({ code, stdout: "" });
  expect(human.stderr).toContain(text);
  expect(human.stderr.trim().split("\n")).toHaveLength(1);
  const asJson = await runMain(["call", "x", "--json"], { env });
  expect(asJson.code).toBe(code);
  expect(asJson.json()).toMatchObject({ ok: false, error: { code: name } });
});

test("an answer that does not come ends at the deadline", async () => {
  const server = await httpServer(() => undefined);
  const result = await runMain(["call", "x", "--timeout", "50"], { env: { CHELA_STATE_DIR: stateFor(server.origin) } });
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("did not answer x in time");
});

test("nobody listening: exit 69, status 3, health 1", async () => {
  const stateDir = stateFor("http://127.0.0.1:1");
  const env = { CHELA_STATE_DIR: stateDir };
  expect((await runMain(["call", "x"], { env })).code).toBe(69);
  expect(await runMain(["status", "--json"], { env })).toMatchObject({ code: 3 });
  expect((await runMain(["health"], { env })).code).toBe(1);
});

test("call sends its params and prints the result", async () => {
  const server = await fakeGateway((method, params) => ok({ method, params }));
  const env = { CHELA_STATE_DIR: stateFor(server.origin) };
  expect((await runMain(["call", "a.b", '{"id":"chat"}'], { env })).json()).toEqual({
    method: "a.b",
    params: { id: "chat" },
  });
  expect((await runMain(["call", "a.b"], { env })).json()).toEqual({ method: "a.b" });
  expect(await runMain(["call", "a.b", "{id}"], { env })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("not JSON"),
  });
});

const greet = {
  name: "greet",
  about: "Says hello",
  args: {
    type: "object",
    required: ["who"],
    properties: { who: { type: "string" }, times: { type: "integer" }, loud: { type: "boolean" } },
  },
};

test.each<[string[], unknown]>([
  [["Bob"], { who: "Bob" }],
  [["Bob", "3"], { who: "Bob", times: 3 }],
  [["--who", "Bob", "--loud", "--times=2"], { who: "Bob", loud: true, times: 2 }],
  [["--loud", "Bob"], { loud: true, who: "Bob" }],
  [["who=Bob"], { who: "Bob" }],
  [["who=7"], { who: "7" }],
  [["a=b"], { who: "a=b" }],
  [['{"who":"Bob"}'], { who: "Bob" }],
  [[], {}],
])("a plugin's command with %j runs with %j", async (words, args) => {
  const server = await fakeGateway((method, params) =>
    method === "commands.list" ? ok([greet]) : ok({ ran: params }),
  );
  const env = { CHELA_STATE_DIR: stateFor(server.origin) };
  expect((await runMain(["greet", ...words, "--json"], { env })).json()).toEqual({ ran: { name: "greet", args } });
});

test("a plugin's command has help, and its result is a table of harmless text", async () => {
  const rows = [
    { city: "東京", note: "\u001b[2Jwarm" },
    { city: "Oslo", note: "two\nlines" },
  ];
  const server = await fakeGateway((method) => (method === "commands.list" ? ok([greet]) : ok(rows)));
  const env = { CHELA_STATE_DIR: stateFor(server.origin) };
  expect((await runMain(["greet", "--help"], { env })).stdout).toContain("--who <string>  required");
  expect((await runMain(["greet", "x"], { env })).stdout).toBe("city  note\n東京  warm\nOslo  two lines\n");
  expect((await runMain(["gret"], { env })).stderr).toContain("Did you mean greet?");
});

test("a gateway that refuses to tell its commands is named in the error", async () => {
  const server = await fakeGateway(() => ({ status: 401, body: "unauthorized" }));
  const { code, stderr } = await runMain(["weather"], { env: { CHELA_STATE_DIR: stateFor(server.origin) } });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Unknown command: weather\. .*could not be asked/);
});
