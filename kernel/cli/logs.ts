/** `logs`: the newest lines and, with `--follow`, every line as it comes, across restarts of the gateway. */
import { setTimeout as pause } from "node:timers/promises";
import { GatewayError, type LogLine } from "@chela/sdk";
import { prettyLine } from "../log-pretty.ts";
import type { Cli, Handler } from "./cli.ts";
import { findGateway, type Gateway, needGateway } from "./client.ts";
import { plainLine } from "./text.ts";
import { integerOption, textOption } from "./values.ts";

type Entry = Readonly<Record<string, unknown>>;

const returnMs = 30_000;

export const logs: Handler = async (cli, _args, options) => {
  const limit = integerOption(options.limit, "--limit", { min: 1, max: 1000 }) ?? 50;
  const level = textOption(options.level);
  const gateway = await needGateway(cli, "logs");
  if (options.follow === true) return await follow(cli, gateway, { limit, level });
  for (const entry of await recent(gateway, limit, level)) print(cli, entry);
  return 0;
};

async function recent(gateway: Gateway, limit: number, level: string | undefined): Promise<readonly Entry[]> {
  const result = (await gateway.call("logs.recent", { limit, ...(level ? { level } : {}) })) as { logs?: unknown };
  return Array.isArray(result.logs) ? (result.logs as Entry[]) : [];
}

/** Ends by Ctrl-C, or when the gateway is gone for good. */
async function follow(cli: Cli, first: Gateway, want: { limit: number; level: string | undefined }): Promise<number> {
  const { openSocket } = await import("./socket.ts");
  const path = `/api/logs/live${want.level ? `?level=${encodeURIComponent(want.level)}` : ""}`;
  let left = false;
  let leave: () => void = () => undefined;
  const undo = cli.io.onSignal("SIGINT", () => {
    left = true;
    leave();
  });
  try {
    let limit = want.limit;
    for (let gateway: Gateway | null = first; gateway; gateway = await returned(cli, () => left)) {
      // Connected first: what comes while the recent lines are fetched is not lost, and not shown twice.
      const socket = await openSocket(gateway, path);
      leave = () => socket.close();
      const before = limit > 0 ? await recent(gateway, limit, want.level) : [];
      const seen = new Set(before.map((entry) => JSON.stringify(entry)));
      for (const entry of before) print(cli, entry);
      for await (const frame of socket.frames()) {
        if (frame.ok === false) throw new GatewayError("LOGS_LIVE", 502, String(frame.error ?? "the live log failed"));
        if (frame.entry && !seen.delete(JSON.stringify(frame.entry))) print(cli, frame.entry as Entry);
      }
      if (left) return 0;
      if (socket.closeCode() === 4001)
        throw new GatewayError("UNAUTHORIZED", 401, "The credential was revoked. Pass --token with a current one.");
      limit = 0;
      cli.out.note("The connection is lost; waiting for the gateway.");
    }
    return left ? 0 : 69;
  } finally {
    undo();
  }
}

async function returned(cli: Cli, left: () => boolean): Promise<Gateway | null> {
  const deadline = Date.now() + returnMs;
  while (!left() && Date.now() < deadline) {
    await pause(200);
    const gateway = await findGateway(cli).catch(() => null);
    if (gateway && (await gateway.call("gateway.status", undefined, { timeoutMs: 2000 }).catch(() => null)))
      return gateway;
  }
  return null;
}

function print(cli: Cli, entry: Entry): void {
  if (cli.out.json) cli.out.item(entry);
  else cli.io.stdout.write(`${prettyLine(lineOf(entry), cli.out.color)}\n`);
}

/** A line of the log may come from anywhere: whatever it holds becomes a line that cannot act on the terminal. */
function lineOf(entry: Entry): LogLine {
  const text = (value: unknown) => (typeof value === "string" ? plainLine(value) : "");
  const level = text(entry.level).toUpperCase();
  const clean: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(entry)) {
    clean[plainLine(key)] = typeof value === "string" ? plainLine(value) : JSON.parse(plainLine(JSON.stringify(value)));
  }
  return {
    ...clean,
    time: text(entry.time) || text(entry.timestamp),
    level: ["DEBUG", "INFO", "WARN", "ERROR"].includes(level) ? level : "INFO",
    msg: text(entry.msg) || text(entry.message),
    ...(typeof entry.plugin === "string" ? { plugin: plainLine(entry.plugin) } : {}),
  } as LogLine;
}
