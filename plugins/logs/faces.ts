/** The ways to read the log from outside: ClawGo's route and stream, and the method behind `chela logs`. */
import { type Context, GatewayError, type LogSource, type Socket, Type } from "@chela/sdk";
import { type Entry, levelFrom, reaches } from "./entry.ts";
import type { LogFile } from "./log-file.ts";
import { readLast } from "./read-last.ts";
import type { Tail } from "./tail.ts";

export interface Written {
  readonly file: LogFile;
  readonly tail: Tail;
}

const LogEntry = Type.Record(Type.String(), Type.Unknown());
const Level = Type.Optional(Type.String({ description: "debug, info, warn or error: this level and above." }));
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
    }),
    reply: Type.Object({ ok: Type.Literal(true), logs: Type.Array(LogEntry) }),
    handler: async ({ query }) => ({
      ok: true,
      logs: await fileLines(written, lineCount(query.limit), query.level),
    }),
  });
  ctx.stream({
    path: "/api/logs/live",
    access: "read",
    about: "Every line of the log file as it is written, across rotation. `?level=` filters.",
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
    }),
    result: Type.Object({ logs: Type.Array(LogEntry) }),
    handler: async ({ limit, level }) => ({
      logs: await fileLines(written, limit, level).catch((error: unknown) => {
        if (GatewayError.is(error) && error.status === 500) return memoryLines(source, limit, level);
        throw error;
      }),
    }),
  });
}

async function fileLines(written: Written | undefined, limit: number, level: string | undefined): Promise<Entry[]> {
  const wanted = levelFrom(level);
  if (!written) throw notConfigured();
  await written.file.settled();
  return readLast(written.file.path, { limit, level: wanted });
}

function memoryLines(source: LogSource, limit: number, level: string | undefined): Entry[] {
  const wanted = levelFrom(level);
  return source
    .recent()
    .filter((entry) => reaches(entry, wanted))
    .slice(-limit);
}

async function follow(socket: Socket, written: Written | undefined): Promise<void> {
  try {
    if (!written) throw notConfigured();
    const level = levelFrom(socket.query.level);
    const leave = await join(written, (entry) => {
      if (reaches(entry, level)) socket.send({ ok: true, type: "log_entry", entry });
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
