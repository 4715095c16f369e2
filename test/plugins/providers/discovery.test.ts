/** What is found where nothing is configured: keys in the environment, servers on ports, and nothing that only looks like one. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import {
  type DiscoveryOptions,
  discover,
  discoveryAllowed,
  fromEnvironment,
} from "../../../plugins/providers/discovery/discovery.ts";
import { ask, hear, makeUpstreams, never, upstream } from "./kit.ts";

function search(more: Partial<DiscoveryOptions>) {
  return discover({ keyed: [], host: "127.0.0.1", ports: [], timeoutMs: 1000, signal: never, ...more });
}

async function stranger(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

test("a local server with an OpenAI list is found with its models and answers", async () => {
  const server = await upstream({ list: ["echo", "tools"] });
  const found = await search({ ports: [server.port] });
  expect(found).toMatchObject([
    { name: `local-${server.port}`, models: ["echo", "tools"], open: false, source: "discovered" },
  ]);
  const upstreams = makeUpstreams({});
  upstreams.discover(found);
  expect(upstreams.primary()).toBe(`local-${server.port}/echo`);
  expect((await hear(upstreams.stream(ask(upstreams.primary()), never))).text).toBe("echo: hello there");
});

test("a stranger on the port is not taken", async () => {
  const strangers: RequestListener[] = [
    (_, reply) => reply.end("<html>hello</html>"),
    (_, reply) => reply.end('{"status":"ok"}'),
    (_, reply) => reply.end('{"object":"list","data":null}'),
    (_, reply) => reply.end('{"object":"list","data":[]}'),
    (_, reply) => reply.end('{"data":[{"id":"m"}]}'),
    (_, reply) => reply.end("null"),
    (_, reply) => reply.writeHead(401).end('{"object":"list","data":[{"id":"m"}]}'),
    (_, reply) => reply.writeHead(302, { location: "/elsewhere" }).end(),
    (_, reply) => reply.end('{"object":"list","data":[{"id":"chela","owned_by":"chela"},{"id":"sim/m"}]}'),
    (_, reply) => void reply.write("x".repeat(2_000_000)),
    () => undefined,
  ];
  const ports = await Promise.all(strangers.map(stranger));
  expect(await search({ ports, timeoutMs: 300 })).toEqual([]);
});

test("ports are asked side by side, and a search can be given up", async () => {
  const silent = await Promise.all(Array.from({ length: 8 }, () => stranger(() => undefined)));
  const began = performance.now();
  await search({ ports: silent, timeoutMs: 500 });
  expect(performance.now() - began).toBeLessThan(8 * 500 * 0.75);
  const controller = new AbortController();
  const given = search({ ports: silent, timeoutMs: 10_000, signal: controller.signal });
  controller.abort();
  expect(await given).toEqual([]);
});

test("keys in the environment name their vendors, in order, before local servers", async () => {
  const server = await upstream({ list: ["echo"] });
  const env = {
    DEEPSEEK_API_KEY: "sk-d",
    OPENAI_API_KEY: "sk-o",
    OPENAI_BASE_URL: server.base,
    MOONSHOT_API_KEY: " ",
    GROQ_API_KEY: "bad\nkey",
  };
  const found = await search({ keyed: fromEnvironment(env), ports: [server.port] });
  expect(found.map((spec) => [spec.name, spec.source])).toEqual([
    ["openai", "discovered"],
    ["deepseek", "discovered"],
    [`local-${server.port}`, "discovered"],
  ]);
  const upstreams = makeUpstreams({});
  upstreams.discover(found);
  await hear(upstreams.stream(ask("openai/any-model"), never));
  expect((await server.last()).headers.authorization).toBe("Bearer sk-o");
});

test("a configured provider hides what was found", async () => {
  const server = await upstream({ list: ["echo"] });
  const upstreams = makeUpstreams({ mine: { api_base: server.base, models: ["m"] } });
  upstreams.discover(await search({ ports: [server.port] }));
  expect(upstreams.models().map((model) => model.id)).toEqual(["mine/m", "offline/offline"]);
});

test("CHELA_DISCOVERY=off switches it off", () => {
  for (const word of ["off", "OFF", "0", "false", "no"])
    expect(discoveryAllowed({ CHELA_DISCOVERY: word })).toBe(false);
  for (const word of [undefined, "", "on", "1"]) expect(discoveryAllowed({ CHELA_DISCOVERY: word })).toBe(true);
});
