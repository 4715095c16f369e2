/** A config whose agents name a model that nobody can serve is refused, before every turn fails by it. */
import { startHost } from "@chela/sdk/testing";
import { expect, onTestFinished, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import chat from "../../../plugins/chat/index.ts";
import providers from "../../../plugins/providers/index.ts";
import { namedModelProblems } from "../../../plugins/providers/named-models.ts";
import store from "../../../plugins/store/index.ts";

const one = { sim: { api_base: "http://127.0.0.1:9/v1", models: ["echo"] } };
const primary = (model: unknown, more: object = {}) => ({ defaults: { model: { primary: model, ...more } }, ...more });
const told = (agents: unknown, configured: unknown = one, fallbacks?: unknown) =>
  namedModelProblems(agents, { providers: configured, fallbacks }).map(
    ({ path, message, level }) => `${level}: ${path} ${message}`,
  );

test.each(["sim/echo", "sim/other", "offline/offline", "", undefined])(
  "%j is served, or chosen by the providers",
  (model) => {
    expect(told(primary(model))).toEqual([]);
  },
);

test.each(["echo", "/echo", "sim/", "/"])("%j is no provider/model", (model) => {
  expect(told(primary(model))).toEqual(["error: agents.defaults.model.primary must be provider/model"]);
});

test("a provider that there is not is told with those there are, wherever it is named", () => {
  const agents = {
    ...primary("nope/none", { fallbacks: ["sim/echo", "gone/x", 5] }),
    entries: { poet: { model: "ghost/y" } },
  };
  const must = "must name a provider of models.providers, as provider/model; there is no";
  const way = (path: string) => `; without a model of its own: chela config unset ${path}`;
  expect(told(agents)).toEqual([
    `error: agents.defaults.model.primary ${must} "nope" (sim, offline)${way("agents.defaults.model.primary")}`,
    `warning: agents.defaults.model.fallbacks.1 ${must} "gone" (sim, offline)${way("agents.defaults.model.fallbacks.1")}`,
    `error: agents.entries.poet.model ${must} "ghost" (sim, offline)${way("agents.entries.poet.model")}`,
  ]);
});

test("so is a fallback of all models that nobody serves", () => {
  expect(told({}, one, ["sim/echo", "gone/x"])).toEqual([
    expect.stringMatching(/^warning: models\.fallbacks\.1 must name a provider/),
  ]);
});

test("without any provider, those that may be found can be named", () => {
  for (const model of ["openai/gpt-5.4", "ollama/llama3", "local-9999/x"]) {
    expect(told(primary(model), {})).toEqual([]);
    expect(told(primary(model), one)).toHaveLength(1);
  }
  expect(told(primary("nope/x"), undefined)).toHaveLength(1);
});

test("sections of any shape are somebody else's to tell", () => {
  for (const agents of [
    undefined,
    null,
    5,
    [],
    { defaults: 7 },
    { defaults: { model: "x" } },
    primary(7),
    { entries: [] },
  ]) {
    expect(told(agents, [])).toEqual([]);
  }
});

test("over the API it is a 400 that begins with the key, nothing is written, and an error that stands does not block", async () => {
  const host = await startHost({
    plugins: [store, providers, chat, apiConfig],
    config: { models: { providers: one }, agents: primary("sim/echo") },
  });
  onTestFinished(() => host.stop());
  const before = await host.request("/api/config");
  const refused = await host.request("/api/config", { body: { agents: primary("nope/none") } });
  expect(refused.status).toBe(400);
  const { errors } = refused.json() as { errors: string[] };
  expect(errors).toEqual([expect.stringMatching(/^agents\.defaults\.model\.primary must name a provider/)]);
  expect((await host.request("/api/config")).text).toBe(before.text);

  const both = { agents: primary("new/m"), models: { providers: { new: { ...one.sim, models: ["m"] } } } };
  expect((await host.request("/api/config", { body: both })).status).toBe(200);
});

test("one that stands in the file since the start is told, and keeps nobody from changing something else", async () => {
  const host = await startHost({
    plugins: [store, providers, chat, apiConfig],
    config: { models: { providers: one }, agents: primary("nope/none") },
  });
  onTestFinished(() => host.stop());
  const known = () => host.config.problems().map(({ path, level }) => `${level} ${path}`);
  expect(known()).toEqual(["error agents.defaults.model.primary"]);
  expect((await host.request("/api/config", { body: { models: { request_timeout_sec: 30 } } })).status).toBe(200);
  expect(known()).toEqual(["error agents.defaults.model.primary"]);
  await host.plugins.disable("chat", "test");
  expect(known()).toEqual(["error agents.defaults.model.primary"]);
  expect((await host.request("/api/config", { body: { agents: primary("sim/echo") } })).status).toBe(200);
  expect(known()).toEqual([]);
});
