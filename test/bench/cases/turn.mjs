/** A whole agent turn: session, prompt, upstream at 0 ms, history stored, through /v1/chat/completions. */
import { load, post } from "../lib/load.mjs";
import { startGateway, startServer, token } from "../lib/processes.mjs";

/** Turns of one session before the next begins, so that the prompt stays of a usual length. */
const turnsPerSession = 5;

export async function measure() {
  const upstream = await startServer("upstream.mjs");
  const models = {
    providers: { bench: { api_base: `http://127.0.0.1:${upstream.port}/v1`, api_key: "u", models: ["m4"] } },
  };
  const agents = { defaults: { model: { primary: "bench/m4" } } };
  const gateway = await startGateway({ config: { models, agents } });
  const run = (connections, seconds) => load({ port: gateway.port, request: turn, connections, seconds });
  const alone = await run(1, 3);
  const many = await run(32, 6);
  const stored = await storedTurns(gateway);
  await Promise.all([upstream.stop(), gateway.stop()]);
  const bad = alone.bad + many.bad;
  const note = bad > 0 ? `${bad} bad answers` : stored ? "" : "nothing was stored";
  const sound = bad === 0 && stored;
  return [
    {
      figure: "agent turn, 32 connections",
      value: many.rps,
      unit: "turns/s",
      target: "≥ 1,000",
      ok: sound && many.rps >= 1000,
      note,
    },
    {
      figure: "agent turn, p50 at 1 connection",
      value: alone.p50,
      unit: "ms",
      target: "≤ 3 ms",
      ok: sound && alone.p50 <= 3,
      note,
    },
  ];
}

function turn(number) {
  const session = `bench-${Math.floor(number / (32 * turnsPerSession))}-${number % 32}`;
  const body = { model: "chela", messages: [{ role: "user", content: "Say something about foxes." }] };
  return post("/v1/chat/completions", body, { authorization: `Bearer ${token}`, "x-openclaw-session-key": session });
}

async function storedTurns({ port }) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://127.0.0.1:${port}/api/chat/history?session=bench-0-0`, { headers });
  return (await response.json()).messages.length >= 2;
}
