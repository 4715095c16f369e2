/** The audit for people and programs, and the tap that fills it. */
import { type ToolRecord, Type } from "@chela/sdk";
import type { Ctx } from "../world.ts";
import type { AuditBook } from "./audit-book.ts";

const Only = (description: string) => Type.Optional(Type.String({ maxLength: 200, description }));
const Query = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 50, description: "Rows at most" }),
  tool: Only("Only this tool"),
  session: Only("Only calls in this session"),
  identity: Only("Only calls of this identity: token, key:ID …"),
  outcome: Type.Optional(
    Type.Union([Type.Literal("ok"), Type.Literal("failed"), Type.Literal("denied")], {
      description: "Only calls that ended like this",
    }),
  ),
  before: Type.Optional(Type.Integer({ minimum: 1, description: "Rows older than the one with this id" })),
});

const flushEveryMs = 1_000;
const pruneEveryMs = 3_600_000;

export function registerAudit(ctx: Ctx): void {
  const store = () => ctx.use.store;
  let opened: Promise<AuditBook> | undefined;
  const book = () => {
    opened ??= import("./audit-book.ts").then(
      ({ AuditBook }) => new AuditBook(store, (fields, message) => ctx.log.error(fields, message)),
    );
    return opened;
  };
  /** Nothing was called yet: nothing waits. */
  const flush = async () => (await opened)?.flush().catch(() => undefined);
  ctx.on("tool:done", (record) => {
    const now = Date.now();
    const kept = store() !== undefined;
    if (kept) void book().then((open) => open.add(record, now));
    log(ctx, record, kept);
  });
  ctx.every(flushEveryMs, flush);
  ctx.every(pruneEveryMs, async () => {
    const { retention_days, max_rows } = ctx.config.audit;
    if (store()) await (await book()).prune(retention_days, max_rows);
  });
  ctx.own("audit", flush);
  ctx.health("audit", async () => {
    const state = (await opened)?.state() ?? { waiting: 0, lost: 0, reason: "" };
    return { ok: state.reason === "", kept: store() !== undefined, ...state };
  });
  ctx.route({
    method: "GET",
    path: "/api/tools/audit",
    access: "admin",
    about: "Tool calls, the newest first: who, what, with which arguments (secrets masked), and what became of it.",
    query: Query,
    handler: async ({ query }) => ({ ok: true, kept: store() !== undefined, calls: await (await book()).list(query) }),
  });
  ctx.method({
    name: "tools.audit",
    access: "admin",
    about: "Tool calls, the newest first. `kept` is false without a database: then the log has them.",
    params: Query,
    handler: async (query) => ({ kept: store() !== undefined, calls: await (await book()).list(query) }),
  });
}

function log(ctx: Ctx, { tool, turn, outcome, ms, output }: ToolRecord, kept: boolean): void {
  const fields = {
    tool,
    outcome,
    ms: Math.round(ms),
    turn: turn.id,
    session: turn.session,
    identity: turn.identity.id,
  };
  if (outcome === "denied") ctx.log.warn({ ...fields, why: output.slice(0, 300) }, "tool call denied");
  else if (kept) ctx.log.debug(fields, "tool call");
  else ctx.log.info(fields, "tool call");
}
