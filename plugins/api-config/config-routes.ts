/** `/api/config` as ClawGo has it, with an ETag, and what was added beside it. Every change goes to the config service. */
import { GatewayError, isObject, Reply, type Static, Type } from "@chela/sdk";
import { decodePrefix, done } from "./config-replies.ts";
import type { Ctx } from "./needs.ts";
import { BackupId, BaseHash, Change, Edits } from "./schemas.ts";

const bodyLimit = 4_194_304;
/** The forms that the config has over HTTP, loaded with the first request for one. */
const forms = () => import("./config-body.ts");

const ReadQuery = Type.Object({
  mode: Type.Optional(Type.String({ description: "raw (default), normalized or hot" })),
  include_hot_reload_fields: Type.Optional(Type.String({ description: "1: with the list of keys that apply live" })),
});
const WriteQuery = Type.Object({
  mode: Type.Optional(Type.String({ description: "raw (default) or normalized" })),
  baseHash: Type.Optional(
    Type.String({ description: "Refuse with 409 unless the file is this version; like If-Match." }),
  ),
  force: Type.Optional(Type.String({ description: "1: also a write that drops a section, or half of the file" })),
});

export function registerConfigRoutes(ctx: Ctx): void {
  const { config } = ctx.use;
  ctx.route({
    method: "GET",
    path: "/api/config",
    access: "read",
    about: "The config in effect, secrets redacted; its version in ETag.",
    query: ReadQuery,
    handler: async ({ query }) => (await forms()).readConfig(ctx.use.config, query),
  });
  ctx.route({
    method: "POST",
    path: "/api/config",
    access: "admin",
    about: "Changes what the body names and nothing else.",
    query: WriteQuery,
    reply: Type.Intersect([Type.Object({ ok: Type.Literal(true) }), Change]),
    limit: bodyLimit,
    handler: async (request) => (await forms()).writeConfig(ctx, request),
  });
  ctx.on("http:error", (error, { path, method, query }) => {
    if (error.code !== "BAD_JSON" || path !== "/api/config" || method !== "POST") return undefined;
    return plainRefusal(`${decodePrefix(isObject(query) ? query.mode : "")}: ${error.message}`);
  });
  ctx.route({
    method: "GET",
    path: "/api/config/schema",
    access: "read",
    about: "JSON Schema of every section that is live.",
    handler: () => config.schema(),
  });
  ctx.route({
    method: "GET",
    path: "/api/config/backups",
    access: "read",
    about: "Earlier versions, newest first.",
    handler: async () => ({ ok: true, backups: await config.backups() }),
  });
  ctx.route({
    method: "GET",
    path: "/api/config/diff",
    access: "read",
    about: "Unified diff of a backup against the file, secrets redacted.",
    query: Type.Object({ id: Type.Optional(BackupId) }),
    handler: async ({ query }) => ({ ok: true, diff: await config.diff(query.id) }),
  });
  registerChanges(ctx);
}

function registerChanges(ctx: Ctx): void {
  const { config } = ctx.use;
  ctx.route({
    method: "POST",
    path: "/api/config/plan",
    access: "admin",
    about: "What a change would do; nothing is written.",
    body: Edits,
    limit: bodyLimit,
    handler: async ({ body }) => ({ ok: true, changes: await planned(ctx, body) }),
  });
  ctx.route({
    method: "POST",
    path: "/api/config/rollback",
    access: "admin",
    about: "Puts a backup back, the newest by default.",
    body: Type.Object({ id: Type.Optional(BackupId), baseHash: Type.Optional(BaseHash) }),
    handler: async ({ body, identity }) =>
      done(await config.rollback(body.id, { who: "api", why: `rollback by ${identity.id}`, baseHash: body.baseHash })),
  });
  ctx.route({
    method: "POST",
    path: "/api/config/reload",
    access: "admin",
    about: "Reads the file again and applies what changed.",
    handler: async ({ identity }) => done(await config.reload(`reload by ${identity.id}`)),
  });
}

/** Also behind the method `config.plan`. */
export function planned({ use: { config } }: Ctx, { path, value, edits, text }: Static<typeof Edits>) {
  if (text !== undefined) return config.planFile(text);
  if (edits !== undefined) return config.plan(edits as { path: string; value: unknown }[]);
  if (path !== undefined) return config.plan([{ path, value }]);
  throw new GatewayError("CONFIG_PLAN", 400, "give `path` and `value`, `edits`, or the `text` of a whole file");
}

function plainRefusal(text: string): Reply {
  return Reply.text(`${text}\n`, { status: 400, headers: { "x-content-type-options": "nosniff" } });
}
