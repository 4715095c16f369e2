/** `/api/config` as ClawGo has it, with an ETag, and what was added beside it. Every change goes to the config service. */
import { type ChangeResult, GatewayError, isObject, Reply, type RouteRequest, type Static, Type } from "@chela/sdk";
import { rawFrom } from "./denormalize.ts";
import { hotFields } from "./hot-fields.ts";
import { editsFor } from "./merge.ts";
import type { Ctx } from "./needs.ts";
import { normalizedView } from "./normalized.ts";
import type { PlainObject } from "./plain.ts";
import { Change, Edits } from "./schemas.ts";

const bodyLimit = 4_194_304;

const ReadQuery = Type.Object({
  mode: Type.Optional(Type.String({ description: "raw (default), normalized or hot" })),
  include_hot_reload_fields: Type.Optional(Type.String()),
});
const WriteQuery = Type.Object({
  mode: Type.Optional(Type.String({ description: "raw (default) or normalized" })),
  baseHash: Type.Optional(
    Type.String({ description: "Refuse with 409 unless the file is this version; like If-Match." }),
  ),
  force: Type.Optional(Type.String()),
});
type WriteRequest = RouteRequest<Static<typeof WriteQuery>, unknown>;

export function registerConfigRoutes(ctx: Ctx): void {
  const { config } = ctx.use;
  ctx.route({
    method: "GET",
    path: "/api/config",
    access: "read",
    about: "The config in effect, secrets redacted; its version in ETag.",
    query: ReadQuery,
    handler: ({ query }) => read(ctx, query),
  });
  ctx.route({
    method: "POST",
    path: "/api/config",
    access: "admin",
    about: "Changes what the body names and nothing else.",
    query: WriteQuery,
    reply: Type.Intersect([Type.Object({ ok: Type.Literal(true) }), Change]),
    limit: bodyLimit,
    handler: (request) => write(ctx, request),
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
    query: Type.Object({ id: Type.Optional(Type.String()) }),
    handler: async ({ query }) => ({ ok: true, diff: await config.diff(query.id) }),
  });
  registerChanges(ctx);
}

function registerChanges(ctx: Ctx): void {
  const { config } = ctx.use;
  ctx.route({
    method: "POST",
    path: "/api/config/plan",
    access: "read",
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
    body: Type.Object({ id: Type.Optional(Type.String()), baseHash: Type.Optional(Type.String()) }),
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

function read({ use: { config } }: Ctx, query: Static<typeof ReadQuery>): Reply {
  const view = config.view();
  const mode = query.mode?.trim() ?? "";
  const withHot = query.include_hot_reload_fields === "1";
  if (mode === "normalized") {
    return shown(
      { ok: true, config: normalizedView(view), raw_config: view, ...(withHot ? hotFields(config) : {}) },
      config.hash(),
    );
  }
  if (mode === "hot" || (withHot && isRaw(mode)))
    return shown({ ok: true, config: view, ...hotFields(config) }, config.hash());
  if (!isRaw(mode)) throw unsupported(mode);
  return shown(view, config.hash());
}

async function write(ctx: Ctx, { query, body, headers, identity }: WriteRequest): Promise<Reply> {
  const { config } = ctx.use;
  const mode = query.mode?.trim() ?? "";
  if (!isRaw(mode) && mode !== "normalized") throw unsupported(mode);
  if (!isObject(body)) {
    const what = body === undefined ? "the body is empty" : "the body is not an object";
    throw new GatewayError("CONFIG_DECODE", 400, `${decodePrefix(mode)}: ${what}`);
  }
  const view = config.view() as PlainObject;
  const wanted = mode === "normalized" ? rawFrom(body, normalizedView(view)) : body;
  const baseHash = wantedVersion(headers["if-match"], config.hash()) ?? query.baseHash;
  const edits = editsFor(wanted, config.file() as PlainObject, view);
  const force = query.force === "1" || query.force === "true";
  return done(await config.write(edits, { who: "api", why: `POST /api/config by ${identity.id}`, baseHash, force }));
}

function done(result: ChangeResult): Reply {
  return Reply.json({ ok: true, ...result }, { headers: { etag: `"${result.hash}"` } });
}

/** Indented by two, without a line feed at the end, as ClawGo has it. */
function shown(data: unknown, hash: string): Reply {
  return new Reply(JSON.stringify(data, null, 2), {
    headers: { "content-type": "application/json", etag: `"${hash}"` },
  });
}

/** If-Match: any of the versions it lists; `*` takes every one. */
function wantedVersion(header: string | string[] | undefined, current: string): string | undefined {
  const tags = [header ?? []]
    .flat()
    .join(",")
    .split(",")
    .map((tag) =>
      tag
        .trim()
        .replace(/^W\//, "")
        .replace(/^"(.*)"$/, "$1"),
    );
  const named = tags.filter((tag) => tag !== "");
  if (named.length === 0 || named.includes("*")) return undefined;
  return named.includes(current) ? current : named[0];
}

function isRaw(mode: string): boolean {
  return mode === "" || mode === "raw";
}

function decodePrefix(mode: unknown): string {
  return mode === "normalized" ? "decode normalized config" : "decode config";
}

function unsupported(mode: string): GatewayError {
  return new GatewayError("CONFIG_MODE", 400, `unsupported config mode: ${mode.slice(0, 64)}`);
}

function plainRefusal(text: string): Reply {
  return Reply.text(`${text}\n`, { status: 400, headers: { "x-content-type-options": "nosniff" } });
}
