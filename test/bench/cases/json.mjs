/** GET /api/version with a token, 32 connections. */
import { get, load } from "../lib/load.mjs";
import { inTurns } from "../lib/numbers.mjs";
import { startGateway, startServer, token } from "../lib/processes.mjs";

export async function measure() {
  const [bareServer, gateway] = [await startServer("bare-http.mjs"), await startGateway()];
  const request = get("/api/version", { authorization: `Bearer ${token}` });
  let bad = 0;
  const run = async ({ port }) => {
    const result = await load({ port, request: () => request, connections: 32 });
    bad += result.bad;
    return result.rps;
  };
  const { bare, ours: value } = await inTurns(
    3,
    () => run(bareServer),
    () => run(gateway),
  );
  await Promise.all([bareServer.stop(), gateway.stop()]);
  const ratio = value / bare;
  const note = bad > 0 ? `${bad} bad answers` : "";
  return [
    {
      figure: "GET /api/version, 32 connections",
      value,
      unit: "req/s",
      bare,
      ratio,
      target: "≥ 0.60",
      ok: ratio >= 0.6 && bad === 0,
      note,
    },
  ];
}
