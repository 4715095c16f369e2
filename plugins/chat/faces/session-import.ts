/** Imports as they go on: what each session became, told at the end or while it is done. */
import { type Context, GatewayError, Reply, type RouteRequest } from "@chela/sdk";
import type { SessionService } from "../sessions/session-service.ts";
import type { ImportReport } from "../sessions/transcript/import.ts";
import { isYes } from "./session-routes.ts";

const tellEveryMs = 500;

/** `waiting`: for the turn that runs in the session. */
type Event =
  | { readonly key: string; readonly lines: number; readonly waiting: boolean }
  | { readonly report: ImportReport };
type ImportRequest = RouteRequest<{ key?: string; dry_run?: string; progress?: string }>;

export async function runImport(ctx: Pick<Context, "emit">, sessions: SessionService, request: ImportRequest) {
  const { reports, dryRun, progress } = await startImport(sessions, request);
  const answer = (done: readonly ImportReport[]) => {
    if (!dryRun) announce(ctx, done);
    return importAnswer(done, dryRun);
  };
  if (progress) return new Reply(tell(reports, answer), { headers: { "content-type": "application/x-ndjson" } });
  const done: ImportReport[] = [];
  for await (const event of reports) if ("report" in event) done.push(event.report);
  return answer(done);
}

async function startImport(sessions: SessionService, { query, body, files, signal }: ImportRequest) {
  const fields = (body ?? {}) as Readonly<Record<string, unknown>>;
  const option = (name: "key" | "dry_run" | "progress") =>
    String(query[name] ?? (typeof fields[name] === "string" ? fields[name] : "")).trim();
  const { sourcesOf } = await import("../sessions/transcript/sources.ts");
  const sources = await sourcesOf(files, option("key") || undefined);
  const dryRun = isYes(option("dry_run"));
  const reports = async function* (): AsyncIterable<Event> {
    for (const source of sources) {
      let lines: number | undefined;
      const onProgress = (count: number) => {
        lines = count;
      };
      const work = sessions.import(source, { dryRun, signal, onProgress });
      for (let report: ImportReport | undefined; !report; ) {
        report = await within(work, tellEveryMs);
        yield report ? { report } : { key: source.key, lines: lines ?? 0, waiting: lines === undefined };
      }
    }
  };
  return { reports: reports(), dryRun, progress: isYes(option("progress")) };
}

async function* tell(events: AsyncIterable<Event>, answer: (done: readonly ImportReport[]) => object) {
  const done: ImportReport[] = [];
  try {
    for await (const event of events) {
      if ("report" in event) done.push(event.report);
      const line = "report" in event ? { type: "session", ...event.report } : { type: "progress", ...event };
      yield `${JSON.stringify(line)}\n`;
    }
    yield `${JSON.stringify({ type: "done", ...answer(done) })}\n`;
  } catch (error) {
    // The head of the reply has left: what went wrong is a line like the others.
    const { code, message } = GatewayError.is(error) ? error : { code: "INTERNAL", message: "the import failed" };
    yield `${JSON.stringify({ type: "error", code, message })}\n`;
  }
}

/** Undefined when it takes longer. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function announce(ctx: Pick<Context, "emit">, reports: readonly ImportReport[]): void {
  for (const { key, imported } of reports) if (imported > 0) ctx.emit("session_changed", { session: key });
}

export function importAnswer(reports: readonly ImportReport[], dryRun: boolean) {
  const sum = (name: "imported" | "duplicates" | "other" | "broken") =>
    reports.reduce((total, report) => total + report[name], 0);
  return {
    ok: true,
    dry_run: dryRun,
    imported: sum("imported"),
    duplicates: sum("duplicates"),
    other: sum("other"),
    broken: sum("broken"),
    sessions: reports,
  };
}
