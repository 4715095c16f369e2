/** logs: the log file with rotation and retention, and the ways to read it. Lines come from the host's own log. */
import { type Context, definePlugin, gateway, logSource, need } from "@chela/sdk";
import { registerFaces } from "./faces.ts";
import { LogFile, type LogFileEvents } from "./log-file.ts";
import { dayMs, type Logging, LoggingSection, logDir, megabyte } from "./settings.ts";
import { Tail } from "./tail.ts";

const needs = { gateway: need(gateway, "^1.0.0"), source: need(logSource, "^1.0.0") };
const checkEveryMs = 5000;
const tidyEveryMs = 3_600_000;

type Ctx = Context<Logging, typeof needs>;

export default definePlugin({
  id: "logs",
  version: "1.0.0",
  host: "^1.0.0",
  about: "The log file: rotation, retention, recent lines and a live tail",
  section: "logging",
  config: LoggingSection,
  hot: ["level", "max_size_mb", "retention_days", "max_total_mb"],
  needs,
  setup(ctx) {
    const { source } = ctx.use;
    const written = ctx.config.enabled ? writeFile(ctx) : undefined;
    registerFaces(ctx, written, source);
    ctx.panel({ id: "logs", title: "Logs", icon: "scroll-text", module: "webui:logs", access: "read", order: 90 });
    ctx.start(() => {
      ctx.own("log level", () => source.setLevel(undefined));
      source.setLevel(ctx.config.level);
    });
    ctx.onConfig(async (now, changed) => {
      source.setLevel(now.level);
      if (changed.includes("max_size_mb")) await written?.file.reopen();
    });
  },
});

function writeFile(ctx: Ctx): { file: LogFile; tail: Tail } {
  const { filename } = ctx.config;
  const dir = logDir(ctx.config.dir, ctx.use.gateway.status().stateDir);
  const tidy = () => tidyUp(ctx, dir, filename);
  const events: LogFileEvents = {
    failed: (err) =>
      ctx.log.warn({ file: file.path, err }, "the log file cannot be written; lines wait in memory and then get lost"),
    recovered: (lost) => ctx.log.warn({ file: file.path, lost }, "the log file is being written again"),
    rotated: () => void tidy(),
    written: () => tail.look(),
  };
  const file = new LogFile({ dir, filename, maxBytes: () => ctx.config.max_size_mb * megabyte, events });
  const tail = new Tail(file.path);
  ctx.own("tail", () => tail.end());
  // Only now: until the previous instance has let go of the file, there must be no second writer.
  ctx.start(() => {
    let stop = () => {};
    ctx.own("log file", () => {
      stop();
      return file.close();
    });
    stop = ctx.use.source.subscribe((line) => file.write(line), "file");
    void tidy();
  });
  ctx.every(checkEveryMs, () => file.check());
  ctx.every(tidyEveryMs, tidy);
  ctx.health("file", () => ({ ok: file.trouble === "", path: file.path, lost: file.lost, reason: file.trouble }));
  return { file, tail };
}

async function tidyUp(ctx: Ctx, dir: string, filename: string): Promise<void> {
  const { retention_days, max_total_mb } = ctx.config;
  const keep = { maxAgeMs: retention_days * dayMs, maxTotalBytes: max_total_mb * megabyte };
  const { sweep } = await import("./retention.ts");
  const deleted = await sweep(dir, filename, keep);
  if (deleted.length > 0) ctx.log.info({ deleted }, "old log files were deleted");
}
