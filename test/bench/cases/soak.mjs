/** What stays in memory when 100,000 turns have gone through: 20,000 sessions, each with its history in the store. */
import { load, sleep } from "../lib/load.mjs";
import { residentMb, startGateway, startServer } from "../lib/processes.mjs";
import { turnRequest, turnSetup } from "../lib/turns.mjs";

const turns = Number(process.env.CHELA_BENCH_TURNS ?? 100_000);
const connections = 32;

export async function measure() {
  const upstream = await startServer("upstream.mjs");
  const gateway = await startGateway({ config: turnSetup(upstream) });
  let done = 0;
  let bad = 0;
  let sent = 0;
  const until = async (goal) => {
    while (done < goal) {
      const from = sent;
      const result = await load({
        port: gateway.port,
        request: () => turnRequest(sent++, { connections }),
        connections,
        seconds: 3,
        warmup: 0,
      });
      bad += result.bad;
      done += sent - from;
    }
    await sleep(2000);
    return residentMb(gateway.pid);
  };
  const early = await until(turns / 10);
  const late = await until(turns);
  await Promise.all([upstream.stop(), gateway.stop()]);
  const ratio = late / early;
  const value = late;
  const note = bad > 0 ? `${bad} bad answers` : `${early.toFixed(0)} MB after ${turns / 10}`;
  const figure = `memory after ${turns.toLocaleString("en")} turns`;
  return [{ figure, value, unit: "MB", bare: early, ratio, target: "≤ 1.5 ×", ok: bad === 0 && ratio <= 1.5, note }];
}
