/** A page of history out of 1,000,000 messages. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quantile } from "../lib/numbers.mjs";
import { startGateway, token } from "../lib/processes.mjs";

const messages = 1_000_000;

export async function measure() {
  const stateDir = mkdtempSync(join(tmpdir(), "chela-bench-history-"));
  // The gateway makes its tables; the rows go in from outside, as a million turns would take too long.
  await (await startGateway({ stateDir })).stop();
  await fill(join(stateDir, "data/store/chela.db"));
  const gateway = await startGateway({ stateDir });
  const random = await pages(
    gateway.port,
    () => `before=${1000 + Math.floor(Math.random() * (messages - 1000))}&limit=200`,
  );
  const newest = await pages(gateway.port, () => "limit=200");
  await gateway.stop();
  rmSync(stateDir, { recursive: true, force: true });
  return [
    row("history page of 200 anywhere in 1,000,000", random),
    row("history page of the newest 200 of 1,000,000", newest),
  ];
}

function row(figure, samples) {
  const value = quantile(samples, 0.5);
  return {
    figure,
    value,
    unit: "ms",
    target: "≤ 5 ms",
    ok: value <= 5,
    note: `p99 ${quantile(samples, 0.99).toFixed(1)} ms`,
  };
}

async function fill(path) {
  const { DatabaseSync } = await import("node:sqlite").catch(() => import("@photostructure/sqlite"));
  const db = new DatabaseSync(path);
  db.exec("PRAGMA synchronous = OFF");
  const at = 1_700_000_000_000;
  db.prepare("INSERT INTO chat_sessions (key, kind, created_at) VALUES ('big', 'main', ?)").run(at);
  const insert = db.prepare(
    "INSERT INTO chat_messages (session, seq, at, role, content, state) VALUES ('big', ?, ?, ?, ?, 'complete')",
  );
  db.exec("BEGIN");
  for (let seq = 1; seq <= messages; seq += 1) {
    insert.run(
      seq,
      at + seq,
      seq % 2 === 1 ? "user" : "assistant",
      JSON.stringify(`message number ${seq}, of a usual length for a chat with a model`),
    );
  }
  db.exec("COMMIT");
  db.close();
}

async function pages(port, window) {
  const samples = [];
  for (let round = 0; round < 300; round += 1) {
    const from = performance.now();
    const response = await fetch(`http://127.0.0.1:${port}/api/chat/history?session=big&${window()}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const page = await response.json();
    if (round >= 50) samples.push(performance.now() - from);
    if (page.messages.length !== 200) throw new Error(`a page of ${page.messages.length} messages`);
  }
  return samples.sort((a, b) => a - b);
}
