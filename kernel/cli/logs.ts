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
const silent = new Set([
  "GATEWAY_NOT_RUNNING",
  "GATEWAY_UNREACHABLE",
  "GATEWAY_NO_RPC",
  "GATEWAY_TIMEOUT",
  "METHOD_UNKNOWN",
]);
/** Lines asked for after a restart of the gateway. */
const catchUp = 1000;

export const logs: Handler = async (cli, _args, options) => {
  const limit = integerOption(options.limit, "--limit", { min: 1, max: 1000 }) ?? 50;
  const level = textOption(options.level);
  if (options.follow === true) return await follow(cli, await needGateway(cli, "logs --follow"), { limit, level });
  for (const entry of await newest(cli, limit, level)) print(cli, entry);
  return 0;
};

/** From the gateway or, where the one of this state dir does not answer, from its file. */
async function newest(cli: Cli, limit: number, level: string | undefined): Promise<readonly Entry[]> {
  const elsewhere = cli.flags.url ?? cli.io.env.CHELA_GATEWAY_URL;
  let silence: unknown;
  try {
    return await recent(await needGateway(cli, "logs"), limit, level);
  } catch (error) {
    if (elsewhere || !GatewayError.is(error) || !silent.has(error.code)) throw error;
    silence = error;
  }
  const { logFileLines } = await import("./logs-file.ts");
  const found = await logFileLines(cli, limit, level);
  if (!found) throw silence;
  cli.out.note(`No gateway answers here; these lines are from ${found.path}.`);
  return found.entries;
}

async function recent(gateway: Gateway, limit: number, level: string | undefined): Promise<readonly Entry[]> {
  const result = (await gateway.call("logs.recent", { limit, ...(level ? { level } : {}) })) as { logs?: unknown };
  return Array.isArray(result.logs) ? (result.logs as Entry[]) : [];
}

interface Wanted {
  readonly limit: number;
  readonly level: string | undefined;
}

/** Ends by Ctrl-C, or when the gateway is gone for good. After a restart the lines in between are caught up. */
async function follow(cli: Cli, first: Gateway, want: Wanted): Promise<number> {
  const left = new AbortController();
  const undo = cli.io.onSignal("SIGINT", () => left.abort());
  let newest = "";
  const show = (entry: Entry) => {
    const time = String(entry.time ?? "");
    if (time > newest) newest = time;
    print(cli, entry);
  };
  try {
    let gateway: Gateway | null = first;
    while (gateway) {
      const since = newest;
      await listen(gateway, { ...want, limit: since === "" ? want.limit : catchUp, since, left: left.signal }, show);
      if (left.signal.aborted) return 0;
      cli.out.note("The connection is lost; waiting for the gateway.");
      gateway = await returned(cli, () => left.signal.aborted);
    }
    return left.signal.aborted ? 0 : 69;
  } finally {
    undo();
  }
}

type Round = Wanted & { readonly since: string; readonly left: AbortSignal };

/** One connection. It is open before the recent lines are asked for, so that none in between is lost or shown twice. */
async function listen(gateway: Gateway, round: Round, show: (entry: Entry) => void): Promise<void> {
  const { openSocket } = await import("./socket.ts");
  const query = round.level ? `?level=${encodeURIComponent(round.level)}` : "";
  const socket = await openSocket(gateway, `/api/logs/live${query}`);
  const leave = () => socket.close();
  round.left.addEventListener("abort", leave);
  try {
    if (round.left.aborted) return;
    const before = await recent(gateway, round.limit, round.level);
    const seen = new Set(before.map((entry) => JSON.stringify(entry)));
    const isNew = (entry: Entry) => round.since === "" || String(entry.time ?? "") > round.since;
    for (const entry of before.filter(isNew)) show(entry);
    for await (const frame of socket.frames()) {
      if (frame.ok === false) throw new GatewayError("LOGS_LIVE", 502, String(frame.error ?? "the live log failed"));
      if (frame.entry && !seen.delete(JSON.stringify(frame.entry))) show(frame.entry as Entry);
    }
  } finally {
    round.left.removeEventListener("abort", leave);
    socket.close();
  }
  if (socket.closeCode() !== 4001) return;
  throw new GatewayError("UNAUTHORIZED", 401, "The credential was revoked. Pass --token with a current one.");
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
