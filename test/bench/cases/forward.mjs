/** /v1/chat/completions straight through to an upstream, against a bare streaming proxy before the same upstream. */
import { load, post } from "../lib/load.mjs";
import { inTurns, median } from "../lib/numbers.mjs";
import { startGateway, startServer, token } from "../lib/processes.mjs";

const messages = [{ role: "user", content: "Say something about foxes." }];

export async function measure() {
  const upstream = await startServer("upstream.mjs");
  const origin = `http://127.0.0.1:${upstream.port}`;
  const proxy = await startServer("bare-proxy.mjs", origin);
  const models = { providers: { bench: { api_base: `${origin}/v1`, api_key: "upstream", models: ["m22"] } } };
  const gateway = await startGateway({ config: { models } });
  const rows = [];
  for (const [name, connections, stream] of [
    ["JSON, 32 connections", 32, false],
    ["SSE of 22 chunks, 16 connections", 16, true],
  ]) {
    const { bare, ours, bad } = await compare(proxy, gateway, { connections, stream });
    const ratio = ours / bare;
    const unit = stream ? "streams/s" : "req/s";
    rows.push({
      figure: `/v1 straight through, ${name}`,
      value: ours,
      unit,
      bare,
      ratio,
      target: "≥ 0.60",
      ok: ratio >= 0.6 && bad === 0,
      note: bad > 0 ? `${bad} bad answers` : "",
    });
  }
  rows.push(await addedLatency(upstream, proxy, gateway));
  await Promise.all([upstream, proxy, gateway].map((server) => server.stop()));
  return rows;
}

function requestFor(model, stream) {
  const bytes = post("/v1/chat/completions", { model, messages, stream }, { authorization: `Bearer ${token}` });
  return () => bytes;
}

async function compare(proxy, gateway, { connections, stream }) {
  let bad = 0;
  const run = async (port, model) => {
    const result = await load({ port, request: requestFor(model, stream), connections });
    bad += result.bad;
    return result.rps;
  };
  const turns = await inTurns(
    3,
    () => run(proxy.port, "m22"),
    () => run(gateway.port, "bench/m22"),
  );
  return { ...turns, bad };
}

/** What the gateway puts on top of asking the upstream directly. */
async function addedLatency(upstream, proxy, gateway) {
  const p50 = async ({ port }, model) =>
    (await load({ port, request: requestFor(model, false), connections: 1, seconds: 2 })).p50;
  const samples = { direct: [], proxy: [], ours: [] };
  for (let round = 0; round < 3; round += 1) {
    samples.direct.push(await p50(upstream, "m22"));
    samples.proxy.push(await p50(proxy, "m22"));
    samples.ours.push(await p50(gateway, "bench/m22"));
  }
  const direct = median(samples.direct);
  const value = median(samples.ours) - direct;
  const bare = median(samples.proxy) - direct;
  return {
    figure: "/v1 straight through, added p50 at 1 connection",
    value,
    unit: "ms",
    bare,
    ratio: value / bare,
    target: "≤ 0.5 ms",
    ok: value <= 0.5,
  };
}
