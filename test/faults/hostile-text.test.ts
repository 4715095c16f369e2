/** Long and monotonous text at every door: what it costs grows with its length, not with the square of it. */
import type { TestHost } from "@chela/sdk/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer, call, gatewayWith, send, upgrade } from "../attacks/kit.ts";

let host: TestHost;
beforeAll(async () => {
  host = await gatewayWith([]);
});
afterAll(() => host.stop());

const length = 200_000;
const grains = ["x", " ", "\n", ":", "/", "://:", "token", "key=", "\\", "\u001b[", "é", "{"];
const texts = grains.map((grain) => [grain, grain.repeat(length / grain.length)] as const);

/** A quadratic pass over such a text takes half a minute and more; this is far from both. */
const enoughMs = 4000;

async function timed(what: string, work: () => Promise<{ status: number }>): Promise<number> {
  const from = performance.now();
  const { status } = await work();
  expect(performance.now() - from, what).toBeLessThan(enoughMs);
  return status;
}

const post = (path: string, body: unknown) =>
  send(host, path, {
    body: JSON.stringify(body),
    headers: { ...bearer(host.token), "content-type": "application/json" },
  });

const doors: Readonly<Record<string, (text: string) => Promise<{ status: number }>>> = {
  "a chat message": (text) => post("/api/chat", { session: "long", message: `/echo ${text}` }),
  "a chat command": (text) => post("/api/chat", { session: "long", message: `/${text}` }),
  "a tool call": (text) => post("/api/chat", { session: "long", message: `/tool ${text}` }),
  "a session key": (text) => post("/api/chat", { session: text, message: "hi" }),
  "a completion": (text) =>
    post("/v1/chat/completions", { model: "offline/chela", messages: [{ role: "user", content: text }] }),
  "a model's name": (text) => post("/v1/chat/completions", { model: text, messages: [{ role: "user", content: "x" }] }),
  "a config value": (text) => post("/api/config", { notes: text }),
  "a config key": (text) => post("/api/config", { [text]: 1 }),
  "a known config value": (text) => post("/api/config", { logging: { dir: text } }),
  "a URL in the config": (text) => post("/api/config", { models: { providers: { p: { api_base: text } } } }),
  "a reference in the config": (text) => post("/api/config", { notes: `\${${text}}` }),
  "a config path": (text) => call(host, "config.get", { path: text }),
  "a path to plan": (text) => call(host, "config.plan", { path: text, value: 1 }),
  "a whole config to plan": (text) => call(host, "config.plan", { text: `{ "a": 1, // ${text}\n "b": 2 }` }),
  "a plugin's id": (text) => call(host, "plugins.info", { id: text }),
  "the name of a key": (text) => call(host, "keys.add", { name: text, scopes: ["read"] }),
  "a method's name": (text) => call(host, text, {}),
};

describe.each(Object.keys(doors))("%s", (name) => {
  const door = doors[name] as (text: string) => Promise<{ status: number }>;
  it("may be long and monotonous", async () => {
    for (const [grain, text] of texts) {
      const status = await timed(`${name} of ${JSON.stringify(grain)}`, () => door(text));
      expect(status, `${name} of ${JSON.stringify(grain)}`).not.toBe(500);
    }
    await post("/api/config", { notes: "short again" });
  }, 120_000);
});

it("so may paths, queries and headers", async () => {
  for (const grain of ["x", ":", "%20", "a=&", "token=", "a,", ";", "/", "%2e", "b "]) {
    const text = grain.repeat(15_000 / grain.length);
    const inPath = text.replace(/ /g, "");
    await timed(`a path of ${grain}`, () => send(host, `/api/${inPath}`));
    await timed(`a query of ${grain}`, () => send(host, `/api/version?${inPath}`, { headers: bearer(host.token) }));
    for (const header of ["authorization", "cookie", "origin", "referer", "x-forwarded-for", "accept", "user-agent"]) {
      await timed(`${header} of ${grain}`, () => send(host, "/api/version", { headers: { [header]: text } }));
    }
  }
});

it("so may frames", async () => {
  for (const [grain, text] of texts) {
    const socket = await upgrade(host, "/api/chat/live", bearer(host.token));
    if (typeof socket === "number") throw new Error("refused");
    const from = performance.now();
    socket.send(text);
    await socket.closed;
    expect(performance.now() - from, `a frame of ${JSON.stringify(grain)}`).toBeLessThan(enoughMs);
  }
});
