/** The ways to read the log from outside: ClawGo's route and stream, and the method behind `chela logs`. */
import { type Context, GatewayError, type LogSource, type Socket, Type } from "@chela/sdk";
import { type Entry, holds, isOf, levelFrom, reaches } from "./entry.ts";
import type { LogFile } from "./log-file.ts";
import type { Page } from "./read-last.ts";
import type { Tail } from "./tail.ts";

export interface Written {
  readonly file: LogFile;
  readonly tail: Tail;
}

const LogEntry = Type.Record(Type.String(), Type.Unknown());
const Level = Type.Optional(Type.String({ description: "debug, info, warn or error: this level and above." }));
const Query = Type.Optional(
  Type.String({ maxLength: 200, description: "Lines with this text in a value, in any letter case" }),
);
const Plugin = Type.Optional(
  Type.String({ maxLength: 100, description: "Only lines of this plugin; kernel: of the gateway itself" }),
);
const Before = Type.Optional(
  Type.String({ maxLength: 40, description: "before of an earlier answer: the lines before those" }),
);
const Logs = Type.Array(LogEntry);
const Older = Type.Union([Type.String(), Type.Null()], {
  description: "Where the lines before these end; null: there are none",
});
const defaultLines = 10;
const maxLines = 200;

/** `written` is undefined when the config turns the file off. */
export function registerFaces(ctx: Context, written: Written | undefined, source: LogSource): void {
  ctx.route({
    method: "GET",
    path: "/api/logs/recent",
    access: "read",
    about: "The newest lines of the log file, oldest first.",
    query: Type.Object({
      limit: Type.Optional(Type.String({ description: "Lines to look at: default 10, at most 200." })),
      level: Level,
      query: Query,
      plugin: Plugin,
      before: Before,
    }),
    reply: Type.Object({ ok: Type.Literal(true), logs: Logs, before: Older }),
    handler: async ({ query }) => {
      const { entries: logs, before } = await filePage(written, { ...query, limit: lineCount(query.limit) });
      return { ok: true, logs, before };
    },
  });
  ctx.stream({
    path: "/api/logs/live",
    access: "read",
    about: "Every line of the log file as it is written, across rotation. `?level=`, `?plugin=` and `?query=` filter.",
    down: Type.Object({
      ok: Type.Boolean(),
      type: Type.Optional(Type.Literal("log_entry")),
      entry: Type.Optional(LogEntry),
      error: Type.Optional(Type.String()),
    }),
    // The client has nothing to say here; whatever it sends is ignored.
    refuse: () => undefined,
    open: (socket) => follow(socket, written),
  });
  ctx.method({
    name: "logs.recent",
    access: "read",
    about: "The newest log lines; from memory when there is no file.",
    params: Type.Object({
      limit: Type.Integer({ minimum: 1, maximum: 1000, default: 50, description: "Lines to look at" }),
      level: Level,
      query: Query,
      plugin: Plugin,
      before: Before,
    }),
    result: Type.Object({ logs: Logs, before: Older }),
    handler: async (asked) => {
      const page = filePage(written, asked).catch((error: unknown) => {
        if (GatewayError.is(error) && error.status === 500) return memoryPage(source, asked);
        throw error;
      });
      const { entries: logs, before } = await page;
      return { logs, before };
    },
  });
}

interface Asked {
  readonly limit: number;
  readonly level?: string | undefined;
  readonly query?: string | undefined;
  readonly plugin?: string | undefined;
  readonly before?: string | undefined;
}

async function filePage(written: Written | undefined, asked: Asked): Promise<Page> {
  const level = levelFrom(asked.level);
  if (!written) throw notConfigured();
  await written.file.settled();
  const { readLast } = await import("./read-last.ts");
  return readLast(written.file.path, { ...asked, level });
}

/** All in one page: there is not much. */
function memoryPage(source: LogSource, { limit, level, query, plugin }: Asked): Page {
  const wanted = levelFrom(level);
  const entries = source
    .recent()
    .filter((entry) => reaches(entry, wanted) && isOf(entry, plugin) && holds(entry, query));
  return { entries: entries.slice(-limit), before: null };
}

async function follow(socket: Socket, written: Written | undefined): Promise<void> {
  try {
    if (!written) throw notConfigured();
    const { query, plugin } = socket.query;
    const level = levelFrom(socket.query.level);
    const leave = await join(written, (entry) => {
      if (reaches(entry, level) && isOf(entry, plugin) && holds(entry, query))
        socket.send({ ok: true, type: "log_entry", entry });
    });
    if (socket.signal.aborted) return leave();
    socket.signal.addEventListener("abort", leave, { once: true });
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    socket.send({ ok: false, error: error.message });
    return socket.close(1011, error.code);
  }
  for await (const _ of socket.incoming());
}

/** At once where there is a file; one that is just being made is waited for. */
async function join({ file, tail }: Written, listener: (entry: Entry) => void): Promise<() => void> {
  try {
    return tail.join(listener);
  } catch {
    await file.settled();
    return tail.join(listener);
  }
}

function notConfigured(): GatewayError {
  return new GatewayError("LOG_DISABLED", 500, "log path not configured");
}

/** ClawGo's rule: not a number or not positive is the default, too much is the maximum. */
function lineCount(text: string | undefined): number {
  const count = /^\s*\+?\d+\s*$/.test(text ?? "") ? Number(text) : 0;
  return count > 0 ? Math.min(count, maxLines) : defaultLines;
}
