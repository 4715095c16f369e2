/** `chela provider …` and `chela models …` against a running gateway with simulated upstreams, and on the file alone. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import apiConfig from "../../plugins/api-config/index.ts";
import providers from "../../plugins/providers/index.ts";
import { runMain } from "../kit/cli.ts";
import { liveHost } from "../kit/live.ts";
import { tempDir } from "../kit/temp.ts";
import { startAnthropic } from "../simulators/anthropic/api.ts";
import { startUpstream } from "../simulators/openai/upstream.ts";

async function world(more: Record<string, unknown> = {}) {
  const server = await startUpstream({ list: ["one", "two"] });
  onTestFinished(() => server.close());
  const sim = { api_base: server.base, api_key: "sk-key-123456", models: ["echo", "rate", "auth"], ...more };
  const config = { models: { providers: { sim }, discovery: { enabled: false } } };
  const live = await liveHost({ plugins: [apiConfig, providers], config });
  return { ...live, server };
}

test("models list and provider list tell what there is and no key", async () => {
  const { chela } = await world();
  const models = await chela(["models", "list"]);
  expect(models.stdout).toMatch(/^sim\/echo +config +first/m);
  expect(models.stdout).toMatch(/^offline\/offline +builtin/m);
  const list = await chela(["provider", "list"]);
  expect(list.stdout).toMatch(/^sim \* +healthy +api_key +chat +echo \+2 +1 of 1 ready/m);
  expect(list.stderr).toContain("By default sim/echo answers");
  const json = (await chela(["provider", "list", "--json"])).json<{ providers: object[] }>();
  expect(json.providers).toMatchObject([
    { name: "sim", models: ["echo", "rate", "auth"], candidates: [{ target: "sk-k***3456" }] },
  ]);
  expect(JSON.stringify(json) + list.stdout).not.toContain("sk-key-123456");
});

test("models test asks several at once, tells the time to the first token, and why one does not answer", async () => {
  const { chela } = await world();
  const all = await chela(["models", "test"]);
  expect(all.code).toBe(1);
  expect(all.stdout).toMatch(/^sim\/echo +ok +\d/m);
  expect(all.stdout).toMatch(/^sim\/rate +UPSTREAM_RATE +.*Rate limit reached/m);
  const one = await chela(["models", "test", "sim/echo", "--json"]);
  expect(one.code).toBe(0);
  expect(one.json()).toMatchObject({
    ok: true,
    models: [{ model: "sim/echo", ok: true, firstTokenMs: expect.any(Number) }],
  });
  const unknown = await chela(["models", "test", "nobody/x", "--json"]);
  expect(unknown.json()).toMatchObject({ ok: false, models: [{ ok: false, code: "MODEL_UNKNOWN" }] });
});

test("provider test asks the first model; an unknown provider says how to go on", async () => {
  const { chela, server } = await world();
  expect((await chela(["provider", "test", "sim"])).code).toBe(0);
  expect(server.requests.map(({ body }) => body.model)).toEqual(["echo"]);
  const unknown = await chela(["provider", "test", "nobody"]);
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("chela models test provider/model")]);
});

test("a model that is slow is given up after --timeout, the others are told", async () => {
  const { chela } = await world({ models: ["hang", "echo"] });
  const result = await chela(["models", "test", "--timeout", "6", "--json"]);
  const slow = { ok: false, code: "UPSTREAM_TIMEOUT", error: expect.stringMatching(/^no word within 6.* --timeout/) };
  expect(result.json()).toMatchObject({ models: [slow, { ok: true }] });
});

test("provider clear ends rests", async () => {
  const { chela } = await world();
  await chela(["models", "test", "sim/rate"]);
  expect((await chela(["models", "list"])).stdout).toMatch(/^sim\/rate .*rests$/m);
  expect((await chela(["provider", "clear", "sim"])).stdout).toBe("Ended 1 rest of sim.\n");
  expect((await chela(["provider", "clear"])).stdout).toBe("Nothing rests.\n");
  const unknown = await chela(["provider", "clear", "nobody"]);
  expect([unknown.code, unknown.stderr]).toEqual([1, 'provider "nobody" not found. See: chela provider list\n']);
});

test("models list --upstream asks the provider itself", async () => {
  const { chela } = await world();
  expect((await chela(["models", "list", "--upstream", "sim"])).stdout).toBe("one\ntwo\n");
});

test("provider list tells how requests are spread over several keys", async () => {
  const api_keys = ["sk-two-222222", "sk-six-666666"];
  const { host, chela } = await world({ api_keys });
  expect((await chela(["provider", "list"])).stdout).toMatch(/3 of 3 ready\n/);
  expect((await chela(["provider", "configure", "sim", "--strategy", "round_robin"])).code).toBe(0);
  expect(JSON.parse(readFileSync(host.config.path, "utf8")).models.providers.sim).toMatchObject({ api_keys });
  expect((await chela(["provider", "configure", "sim", "--strategy", "random"])).code).not.toBe(0);
  for (const _ of "123") await chela(["models", "test", "sim/echo"]);
  expect((await chela(["provider", "list"])).stdout).toContain("3 of 3 ready, round_robin");
  const { providers: rows } = JSON.parse((await chela(["provider", "list", "--json"])).stdout);
  expect(rows[0]).toMatchObject({ strategy: "round_robin", candidates: [1, 1, 1].map((requests) => ({ requests })) });
});

test("models count tells the vendor's own count of words or of the standard input, and who does not count", async () => {
  const vendor = await startAnthropic();
  const claude = { api_base: vendor.origin, api_key: "sk-ant-sim", models: ["claude-sonnet-5-5"] };
  const { host, chela } = await world();
  await host.config.write([{ path: "models.providers.claude", value: claude }], { who: "test", why: "test" });
  const model = "claude/claude-sonnet-5-5";
  const words = await chela(["models", "count", model, "How", "many", "tokens?"]);
  expect([words.code, words.stderr, Number(words.stdout)]).toEqual([0, "", expect.any(Number)]);
  const piped = await chela(["models", "count", model, "--json"], { input: "How many tokens?" });
  expect(JSON.parse(piped.stdout)).toEqual({ model, tokens: Number(words.stdout) });
  const silent = await chela(["models", "count", "sim/echo", "hello"]);
  expect([silent.code, silent.stdout]).toEqual([0, ""]);
  expect(silent.stderr).toContain("sim/echo does not count tokens");
  const { providers: rows } = JSON.parse((await chela(["provider", "list", "--json"])).stdout);
  expect(rows.find(({ name }: { name: string }) => name === "sim").candidates[0]).not.toHaveProperty("requests");
  expect((await chela(["models", "count", "sim/none", "hello"])).code).toBe(1);
  expect((await chela(["models", "count", model], { input: "" })).stderr).toContain("There is no text");
});

test("provider configure writes what was given, keeps the rest, and it serves at once", async () => {
  const { host, chela, server } = await world();
  const added = await chela(
    ["provider", "configure", "more", "--api-base", server.base, "--api-key", "-", "--models", "echo, b"],
    {
      input: "sk-secret-from-stdin\n",
    },
  );
  expect([added.code, added.stdout]).toEqual([0, "Added more.\n"]);
  expect(added.stderr).toContain("chela models test more/echo");
  expect((await chela(["models", "test", "more/echo"])).code).toBe(0);
  expect((await server.last()).headers.authorization).toBe("Bearer sk-secret-from-stdin");
  expect((await chela(["provider", "configure", "more", "--timeout", "7"])).stdout).toBe("Changed more.\n");
  expect(JSON.parse(readFileSync(host.config.path, "utf8")).models.providers.more).toEqual({
    ...{ api_base: server.base, api_key: "sk-secret-from-stdin", models: ["echo", "b"], timeout_sec: 7 },
  });
  const refused = await chela(["provider", "configure", "more", "--api-base", "ftp://x"]);
  expect([refused.code, refused.stderr]).toEqual([
    expect.any(Number),
    expect.stringContaining("api_base must be an http"),
  ]);
  expect(refused.code).not.toBe(0);
});

test("a provider of no known vendor needs an address; a preset that there is not is told with those there are", async () => {
  const { chela } = await world();
  const nowhere = await chela(["provider", "configure", "mine", "--api-key", "sk-x"]);
  expect(nowhere.stderr).toContain('api_base must be set: no vendor called "mine" is known');
  const preset = await chela(["provider", "configure", "mine", "--preset", "opnai"]);
  expect(preset.stderr).toMatch(/preset must be one of .*claude, .*openai/);
  const bearer = ["--api-base", "http://127.0.0.1:9/v1", "--auth", "bearer", "--models", "m"];
  expect((await chela(["provider", "configure", "mine", ...bearer])).stdout).toBe("Added mine.\n");
});

test("provider configure says who answers by default when it is another one", async () => {
  const { chela, server } = await world();
  const added = await chela(["provider", "configure", "more", "--api-base", server.base, "--models", "echo"]);
  expect(added.stderr).toContain("By default sim/echo answers. Change it with: chela provider use more/echo");
  await chela(["provider", "use", "more/echo"]);
  expect((await chela(["provider", "list"])).stdout).toMatch(/^more \* /m);
  const again = await chela(["provider", "configure", "more", "--timeout", "9"]);
  expect(again.stderr).not.toContain("By default");
});

test("a default model whose provider was taken away is told, and how to go on", async () => {
  const { chela } = await world();
  await chela(["provider", "use", "sim/echo"]);
  expect((await chela(["config", "unset", "models.providers.sim"])).stderr).toContain("must name a provider");
  const other = ["--api-base", "http://127.0.0.1:9/v1", "--auth", "none", "--models", "m"];
  await chela(["provider", "configure", "openai", ...other]);
  await chela(["provider", "use", "openai"]);
  expect((await chela(["config", "unset", "models.providers"])).code).toBe(0);
  expect((await chela(["health"])).stdout).toMatch(
    /^failed +providers +upstreams +reason=no provider serves openai\/m/m,
  );
  const doctor = await chela(["doctor"]);
  expect(doctor.stdout).toMatch(/^failed +models +openai\/m answers by default, but no provider "openai" is there/m);
  expect(doctor.stdout).toContain("chela provider use provider/model");
  const stuck = await chela(["provider", "configure", "other", ...other]);
  expect([stuck.code, stuck.stderr]).toEqual([
    expect.any(Number),
    expect.stringContaining("chela config unset agents.defaults.model.primary"),
  ]);
});

test("provider configure asks on a terminal, and does not show the key", async () => {
  const { host, chela, server } = await world();
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const answers = [server.base, "sk-typed-by-hand", "echo"];
  const done = chela(["provider", "configure", "asked"], { stdin, tty: true });
  stdin.write(`${answers.join("\n")}\n`);
  const result = await done;
  expect([result.code, result.stderr.includes("sk-typed-by-hand")]).toEqual([0, false]);
  expect(JSON.parse(readFileSync(host.config.path, "utf8")).models.providers.asked).toEqual({
    ...{ api_base: server.base, api_key: "sk-typed-by-hand", models: ["echo"] },
  });
});

test("a question that nobody answers leaves its line before the reason is told", async () => {
  const { chela } = await world();
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const onError = (text: string) => void (text.includes("Base URL") && stdin.end());
  const { code, stderr } = await chela(["provider", "configure", "sim"], { stdin, onError });
  expect([code, stderr]).toEqual([1, expect.stringMatching(/: \nThe input ended before [^\n]+\n$/)]);
});

test("provider use sets the default model; a provider alone means its first", async () => {
  const { host, chela } = await world();
  expect((await chela(["provider", "use", "sim/rate"])).stdout).toBe("sim/rate answers by default.\n");
  expect((await chela(["provider", "use", "sim"])).stdout).toBe("sim/echo answers by default.\n");
  expect((await chela(["provider", "use", "sim/echo"])).stdout).toBe("sim/echo answers by default already.\n");
  expect(JSON.parse(readFileSync(host.config.path, "utf8")).agents.defaults.model.primary).toBe("sim/echo");
  expect((await chela(["provider", "use", "nobody/x"])).stderr).toContain("must name a provider");
  expect((await chela(["provider", "use", "nobody"])).stderr).toContain("chela provider configure nobody");
});

test("without a gateway: configure and use write the file, the others say how to start one", async () => {
  const stateDir = tempDir("cli");
  writeFileSync(join(stateDir, "config.json"), "{}");
  const chela = (...args: string[]) => runMain(args, { env: { CHELA_STATE_DIR: stateDir } });
  const args = ["--api-base", "http://127.0.0.1:9/v1", "--auth", "none", "--models", "m"];
  const added = await chela("provider", "configure", "local", ...args);
  expect([added.code, added.stdout]).toEqual([0, "Added local.\n"]);
  expect((await chela("provider", "use", "local")).code).toBe(0);
  expect(JSON.parse(readFileSync(join(stateDir, "config.json"), "utf8"))).toEqual({
    models: { providers: { local: { api_base: "http://127.0.0.1:9/v1", auth: "none", models: ["m"] } } },
    agents: { defaults: { model: { primary: "local/m" } } },
  });
  const list = await chela("provider", "list");
  expect([list.code, list.stderr]).toEqual([69, expect.stringContaining("chela gateway run")]);
  const nothing = await chela("provider", "configure", "local");
  expect([nothing.code, nothing.stderr]).toEqual([expect.any(Number), expect.stringContaining("--api-base")]);
  expect(nothing.code).not.toBe(0);
});

test("without a gateway: a vendor that nobody knows needs an address, as with one", async () => {
  const stateDir = tempDir("cli");
  const file = join(stateDir, "config.json");
  writeFileSync(file, "{}");
  const chela = (...args: string[]) =>
    runMain(["provider", "configure", ...args], { env: { CHELA_STATE_DIR: stateDir } });
  for (const args of [
    ["mine"],
    ["openai", "--preset", "opnai"],
    ["mine", "--auth", "oauth", "--oauth-provider", "x"],
  ]) {
    const refused = await chela(...args, "--api-key", "sk-12345678");
    expect([args, refused.code]).toEqual([args, 1]);
    expect(refused.stderr).toMatch(/api_base must be set: no vendor called "(?:mine|opnai|x)" is known/);
  }
  expect(readFileSync(file, "utf8")).toBe("{}");
  for (const args of [["OpenAI"], ["kimi"], ["mine", "--preset", "deepseek"], ["codex", "--auth", "oauth"]])
    expect([args, (await chela(...args, "--timeout", "5")).stderr]).toEqual([
      args,
      expect.stringContaining("next start"),
    ]);
});

test("without a gateway: the address of a vendor that nobody knows is asked for", async () => {
  const stateDir = tempDir("cli");
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const done = runMain(["provider", "configure", "mine"], { env: { CHELA_STATE_DIR: stateDir }, stdin, tty: true });
  stdin.write("\nhttps://api.example.com/v1\n\nm\n");
  expect((await done).code).toBe(0);
  expect(JSON.parse(readFileSync(join(stateDir, "config.json"), "utf8")).models.providers.mine).toMatchObject({
    api_base: "https://api.example.com/v1",
  });
});

test("a login of a provider that is not there says how to add it", async () => {
  const { chela } = await world();
  const result = await chela(["provider", "login", "codex"]);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("chela provider configure codex --auth oauth");
});
