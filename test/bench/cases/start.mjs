/** Cold start: spawn → first 200 on /ready, every built-in plugin on. */
import { inTurns } from "../lib/numbers.mjs";
import { startGateway, startTime } from "../lib/processes.mjs";

export async function measure() {
  const ours = async () => {
    const gateway = await startGateway();
    await gateway.stop();
    return gateway.startMs;
  };
  await ours();
  const { bare, ours: value } = await inTurns(11, () => startTime("bare-http.mjs"), ours);
  const ratio = value / bare;
  return [{ figure: "cold start to /ready", value, unit: "ms", bare, ratio, target: "≤ 3 ×", ok: ratio <= 3 }];
}
