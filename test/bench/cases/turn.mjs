/** A whole agent turn: session, prompt, upstream at 0 ms, history stored, through /v1/chat/completions, whole and as a stream. */
import { load } from "../lib/load.mjs";
import { startGateway, startServer, token } from "../lib/processes.mjs";
import { turnRequest, turnSetup } from "../lib/turns.mjs";

export async function measure() {
  const upstream = await startServer("upstream.mjs");
  const gateway = await startGateway({ config: turnSetup(upstream) });
  let sent = 0;
  const run = (connections, seconds, stream = false) => {
    const request = () => turnRequest(sent++, { connections: 32, stream });
    return load({ port: gateway.port, request, connections, seconds });
  };
  const alone = await run(1, 3);
  const many = await run(32, 6);
  const streams = await run(32, 4, true);
  const stored = await storedTurns(gateway);
  await Promise.all([upstream.stop(), gateway.stop()]);
  const bad = alone.bad + many.bad + streams.bad;
  const note = bad > 0 ? `${bad} bad answers` : stored ? "" : "nothing was stored";
  const sound = bad === 0 && stored;
  return [
    row("agent turn, 32 connections", many.rps, sound, note),
    row("agent turn as a stream, 32 connections", streams.rps, sound, note),
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

function row(figure, value, sound, note) {
  return { figure, value, unit: "turns/s", target: "≥ 1,000", ok: sound && value >= 1000, note };
}

async function storedTurns({ port }) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`http://127.0.0.1:${port}/api/chat/history?session=bench-0-0`, { headers });
  return (await response.json()).messages.length >= 2;
}
