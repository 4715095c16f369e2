/** Resident memory of an idle gateway, every built-in plugin on. */
import { sleep } from "../lib/load.mjs";
import { inTurns } from "../lib/numbers.mjs";
import { residentMb, startGateway, startServer } from "../lib/processes.mjs";

export async function measure() {
  const idle = async (starting) => {
    const server = await starting;
    await sleep(4000);
    const mb = residentMb(server.pid);
    await server.stop();
    return mb;
  };
  const { bare, ours: value } = await inTurns(
    3,
    () => idle(startServer("bare-http.mjs")),
    () => idle(startGateway()),
  );
  const ratio = value / bare;
  const ok = ratio <= 2 && value <= 100;
  return [{ figure: "idle resident memory", value, unit: "MB", bare, ratio, target: "≤ 2 ×, ≤ 100 MB", ok }];
}
