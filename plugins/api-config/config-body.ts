/** `GET` and `POST /api/config`: the config as ClawGo's clients read and write it, raw or normalized. */
import { isDeepStrictEqual } from "node:util";
import {
  type ChannelDrafts,
  type Config,
  type ConfigEdit,
  GatewayError,
  isObject,
  Reply,
  type RouteRequest,
} from "@chela/sdk";
import { decodePrefix, done } from "./config-replies.ts";
import { rawFrom } from "./denormalize.ts";
import { hotFields } from "./hot-fields.ts";
import { editsFor } from "./merge.ts";
import type { Ctx } from "./needs.ts";
import { normalizedView } from "./normalized.ts";
import type { PlainObject } from "./plain.ts";

interface ReadQuery {
  readonly mode?: string | undefined;
  readonly include_hot_reload_fields?: string | undefined;
}

interface WriteQuery {
  readonly mode?: string | undefined;
  readonly baseHash?: string | undefined;
  readonly force?: string | undefined;
}

export function readConfig(config: Config, query: ReadQuery): Reply {
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

export async function writeConfig(
  ctx: Ctx,
  { query, body, headers, identity }: RouteRequest<WriteQuery, unknown>,
): Promise<Reply> {
  const { config, drafts } = ctx.use;
  const mode = query.mode?.trim() ?? "";
  if (!isRaw(mode) && mode !== "normalized") throw unsupported(mode);
  if (!isObject(body)) {
    const what = body === undefined ? "the body is empty" : "the body is not an object";
    throw new GatewayError("CONFIG_DECODE", 400, `${decodePrefix(mode)}: ${what}`);
  }
  const view = config.view() as PlainObject;
  const wanted = mode === "normalized" ? rawFrom(body, normalizedView(view)) : body;
  const baseHash = wantedVersion(headers["if-match"], config.hash()) ?? query.baseHash;
  const force = query.force === "1" || query.force === "true";
  const options = { who: "api", why: `POST /api/config by ${identity.id}`, baseHash, force };
  const all = drafts?.edits() ?? [];
  const drafted = drafts?.edits(wanted) ?? [];
  const paths = new Set(drafted.map(({ path }) => path));
  const own = editsFor(wanted, config.file() as PlainObject, view).filter(({ path }) => !paths.has(path));
  const result = await config.write([...own, ...drafted], options);
  if (drafts && !ctx.signal.aborted) await settle(ctx, drafts, all);
  return done(result);
}

/** Drafts of channels go along with every saved config, and are none afterwards; what was drafted meanwhile stays one. */
async function settle(ctx: Ctx, drafts: ChannelDrafts, before: readonly ConfigEdit[]): Promise<void> {
  try {
    if (isDeepStrictEqual(drafts.edits(), before)) await drafts.clear();
  } catch (error) {
    ctx.log.warn({ error }, "the config is saved; drafts of channels that went along could not be cleared");
  }
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

function unsupported(mode: string): GatewayError {
  return new GatewayError("CONFIG_MODE", 400, `unsupported config mode: ${mode.slice(0, 64)}`);
}
