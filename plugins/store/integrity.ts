/** The full check of the database file, on a connection of its own in a worker thread: it reads every page. */
import { Worker } from "node:worker_threads";
import { GatewayError } from "@chela/sdk";

const checkLimitMs = 600_000;

/** Kept as text so that the check is the same in a bundle and from the sources. */
const program = `
const { parentPort, workerData } = require("node:worker_threads");
const { DatabaseSync } = require(workerData.module);
const database = new DatabaseSync(workerData.file, { readOnly: true });
let found;
try {
  found = database.prepare("PRAGMA integrity_check(100)").all().map((row) => String(row.integrity_check));
} catch (error) {
  found = [error.message];
}
database.close();
parentPort.postMessage(found);
`;

/** Empty when sound. `module` is what the worker requires for SQLite. Rejects with the reason of `signal`. */
export async function checkIntegrity(module: string, file: string, signal: AbortSignal): Promise<readonly string[]> {
  signal.throwIfAborted();
  // Node 22 calls its SQLite experimental, in each thread again; nothing else runs in this one.
  const execArgv = ["--disable-warning=ExperimentalWarning"];
  const worker = new Worker(program, { eval: true, execArgv, workerData: { module, file } });
  const end = () => void worker.terminate();
  const timer = setTimeout(end, checkLimitMs);
  signal.addEventListener("abort", end, { once: true });
  try {
    const found = await answerOf(worker);
    return found.length === 1 && found[0] === "ok" ? [] : found;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    await worker.terminate();
  }
}

function answerOf(worker: Worker): Promise<string[]> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", (cause) =>
      reject(
        new GatewayError("STORE_CHECK", 500, `the integrity check failed: ${cause.message}`, undefined, { cause }),
      ),
    );
    worker.once("exit", (code) =>
      reject(new GatewayError("STORE_CHECK", 500, `the integrity check ended without an answer (exit code ${code})`)),
    );
  });
}
