/** `chela chat` against the real agent and its offline model. */
import { PassThrough } from "node:stream";
import { definePlugin, providers as providersContract, Type } from "@chela/sdk";
import { expect, test } from "vitest";
import apiConfig from "../../plugins/api-config/index.ts";
import chat from "../../plugins/chat/index.ts";
import keys from "../../plugins/keys/index.ts";
import providers from "../../plugins/providers/index.ts";
import store from "../../plugins/store/index.ts";
import { liveHost } from "../kit/live.ts";
import { until } from "../kit/until.ts";

const env = { CHELA_DISCOVERY: "off" };
const plugins = [apiConfig, store, providers, chat];

test("-m, stdin and --json; the history is the session's", async () => {
  const { host, chela } = await liveHost({ plugins, env, config: {} });
  expect(await chela(["chat", "-m", "/echo one"])).toMatchObject({ code: 0, stdout: "one\n", stderr: "" });
  expect((await chela(["chat", "-s", "work"], { input: "/echo two\n" })).stdout).toBe("two\n");
  expect((await chela(["chat", "-m", "/echo three", "--json"])).json()).toEqual({
    ok: true,
    session: "cli:default",
    reply: "three",
    aborted: false,
  });
  expect(await chela(["chat"], { input: " \n" })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("nothing to say"),
  });
  const history = await host.request("/api/chat/history?session=cli%3Adefault");
  expect(history.text).toContain("three");
  expect(history.text).not.toContain("two");
});

test("the reply is printed while it comes, and cannot act on the terminal", async () => {
  const nasty = definePlugin({
    id: "nasty",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      ctx.on("message:in", (message) => ({ ...message, text: "/echo a\u001b[2Jb\u001b]0;x\u0007c\u202ed" }));
    },
  });
  const { chela } = await liveHost({ plugins: [...plugins, nasty], env, config: {} });
  const { stdout } = await chela(["chat", "-m", "x"]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
  expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/);
  expect(stdout).toMatch(/^a.*b.*cd\n$/s);
});

test("Ctrl-C aborts the turn, keeps what came, and exits 130", async () => {
  const { host, chela } = await liveHost({ plugins, env, config: {} });
  const signals = new Map<string, () => void>();
  const running = chela(["chat", "-m", "/slow 8000"], { signals, onOutput: () => signals.get("SIGINT")?.() });
  const { code, stdout, stderr } = await running;
  expect({ code, stderr }).toEqual({ code: 130, stderr: "Aborted.\n" });
  expect(stdout.trim()).not.toBe("");
  expect(signals.size).toBe(0);
  const history = await until(
    async () => {
      const { text } = await host.request("/api/chat/history?session=cli%3Adefault");
      return text.includes("assistant") ? text : null;
    },
    5000,
    "the partial reply",
  );
  expect(history).toContain(stdout.trim().split(" ")[0]);
});

test("a turn that fails is one line and exit 1", async () => {
  const { chela } = await liveHost({ plugins, env, config: {} });
  const { code, stderr } = await chela(["chat", "-m", "/fail 500"]);
  expect(code).toBe(1);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect((await chela(["chat", "-m", "/fail 500", "--json"])).json()).toMatchObject({
    ok: false,
    error: { code: "UPSTREAM_FAULT" },
  });
});

test("a turn that fails says what can be done about it", async () => {
  const sim = { api_base: "http://127.0.0.1:9/v1", auth: "none", models: ["m"] };
  const { chela } = await liveHost({ plugins, env, config: { models: { providers: { sim }, fallbacks: [] } } });
  expect((await chela(["chat", "-m", "hi"])).stderr).toMatch(
    /cannot be reached.*See who answers: chela models test\n$/,
  );
  const gone = await liveHost({ plugins, env, config: { agents: { defaults: { model: { primary: "openai/x" } } } } });
  expect((await gone.chela(["chat", "-m", "hi"])).stderr).toContain("chela provider use provider/model");
});

test("tools are shown to a person while they run, and to nobody else", async () => {
  const tools = definePlugin({
    id: "look",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      const input = Type.Object({ at: Type.String() });
      ctx.tool({ name: "look", about: "Looks", input, risk: "read", access: "read", run: () => "seen" });
    },
  });
  const { chela } = await liveHost({ plugins: [...plugins, tools], env, config: {} });
  const say = ["chat", "-m", '/tool look {"at":"the\\u001b[2Jsky"}'];
  expect((await chela(say, { tty: true })).stderr).toMatch(/^ {2}look \{"at":"the\\u001b\[2Jsky"\}/);
  expect((await chela(say)).stderr).toBe("");
});

test("a talk: prompt, replies, a failed turn in between, exit", async () => {
  const { chela } = await liveHost({ plugins, env, config: {} });
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  let seen = "";
  const talk = chela(["chat"], {
    stdin,
    onOutput: (text) => {
      seen = text;
    },
  });
  stdin.write("/echo first\n");
  await until(() => seen.includes("first\n"), 5000, "the first reply");
  stdin.write("\n/fail 500\n/echo second\n");
  await until(() => seen.includes("second\n"), 5000, "the second reply");
  stdin.write("exit\n");
  const { code, stdout, stderr } = await talk;
  expect(code).toBe(0);
  expect(stdout).toBe("> first\n> > > second\n> ");
  expect(stderr).toContain("Session cli:default");
  expect(stderr).toContain("LLM call failed");
});

test("Ctrl-C in a talk ends the turn, a second one leaves", async () => {
  const { chela } = await liveHost({ plugins, env, config: {} });
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const signals = new Map<string, () => void>();
  let seen = "";
  const talk = chela(["chat"], {
    stdin,
    signals,
    onOutput: (text) => {
      seen = text;
    },
  });
  stdin.write("/slow 8000\n");
  await until(() => /> \w/.test(seen), 5000, "the reply to begin");
  signals.get("SIGINT")?.();
  await until(() => /> \w[^>]*> $/.test(seen), 5000, "the prompt again");
  signals.get("SIGINT")?.();
  expect((await talk).code).toBe(0);
});

test("a key that may only read is told so in the gateway's own sentence", async () => {
  const { chela } = await liveHost({ plugins: [...plugins, keys], env, config: {} });
  const { key } = (await chela(["keys", "add", "reader", "--json"])).json<{ key: string }>();
  const { code, stderr } = await chela(["chat", "-m", "hi"], { env: { CHELA_GATEWAY_TOKEN: key } });
  expect({ code, stderr }).toEqual({ code: 1, stderr: "missing scope: write\n" });
});

/** A model that says its first half, then waits for the test; the second time it may say something else. */
function halting(second: string) {
  const state = { asked: 0, more: () => undefined as unknown };
  const plugin = definePlugin({
    id: "halting",
    version: "1.0.0",
    host: "^1.0.0",
    provides: [providersContract],
    setup(ctx) {
      ctx.provide(providersContract, {
        models: () => [],
        primary: () => "h/h",
        fallbacks: () => [],
        passes: () => false,
        forward: () => Promise.reject(new Error("not used here")),
        async *stream(_request, signal) {
          state.asked += 1;
          const text = state.asked === 1 ? "one two" : second;
          yield { type: "start", provider: "h", model: "h/h" };
          yield { type: "text", text: text.slice(0, 4) };
          if (state.asked === 1)
            await new Promise((resolve, reject) => {
              state.more = () => resolve(undefined);
              signal.addEventListener("abort", () => reject(signal.reason), { once: true });
            });
          yield { type: "text", text: text.slice(4) };
          const reply = { provider: "h", model: "h/h", text, toolCalls: [], usage: null, stop: "stop" as const };
          yield { type: "done", reply };
        },
      });
    },
  });
  return { plugin, state };
}

test("a turn goes on when chat is reloaded in the middle of it, and is asked of the model once", async () => {
  const { plugin, state } = halting("never said");
  const { host, chela } = await liveHost({ plugins: [apiConfig, store, plugin, chat], env, config: {} });
  let reloaded: Promise<unknown> | undefined;
  const onOutput = () => {
    if (reloaded) return;
    const { generation } = host.gateway.status();
    reloaded = host.plugins.reload("chat");
    void until(() => host.gateway.status().generation > generation).then(() => state.more());
  };
  expect(await chela(["chat", "-m", "hi"], { onOutput })).toMatchObject({ code: 0, stdout: "one two\n" });
  await reloaded;
  expect(state.asked).toBe(1);
});

test.each([
  ["goes on where it was", "one two", "one two\n", false],
  ["begins anew on a line of its own", "1, 2, 3", "one \n1, 2, 3\n", false],
  ["says so on a line of its own", "one two", "one two\n", true],
])("a turn that a reload cut is run again by the same command: it %s", async (_what, second, shown, tty) => {
  const { plugin, state } = halting(second);
  const config = { plugins: { drainMs: 20 } };
  const { host, chela } = await liveHost({ plugins: [apiConfig, store, plugin, chat], env, config });
  let reloaded: Promise<unknown> | undefined;
  const onOutput = () => {
    reloaded ??= host.plugins.reload("chat");
  };
  const { code, stdout, stderr } = await chela(["chat", "-m", "hi"], { onOutput, tty });
  await reloaded;
  expect({ code, stdout, stderr }).toEqual({
    code: 0,
    stdout: shown,
    stderr: `${tty ? "\n" : ""}The connection was lost; connected again.\n`,
  });
  expect(state.asked).toBe(2);
  const history = (await host.request("/api/chat/history?session=cli%3Adefault")).json() as {
    messages: { role: string }[];
  };
  expect(history.messages.filter(({ role }) => role === "user")).toHaveLength(1);
});

test("Ctrl-C does not wait for a gateway that is gone", async () => {
  const { plugin } = halting("never said");
  const { host, chela } = await liveHost({
    plugins: [apiConfig, store, plugin, chat],
    env,
    config: { plugins: { drainMs: 20 } },
  });
  const signals = new Map<string, () => void>();
  let stopped: Promise<unknown> | undefined;
  const onOutput = () => {
    stopped ??= host.plugins.disable("chat", "test").then(() => signals.get("SIGINT")?.());
  };
  const from = performance.now();
  const { code, stdout } = await chela(["chat", "-m", "hi"], { signals, onOutput });
  await stopped;
  expect({ code, stdout }).toEqual({ code: 130, stdout: "one \n" });
  expect(performance.now() - from).toBeLessThan(20_000);
});
