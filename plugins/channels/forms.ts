/** The answers of `/api/channels/draft`, in ClawGo's shapes. */
import { type Identity, messageOf, objectOf } from "@chela/sdk";
import { assertChannel, channels, type Drafts } from "./drafts.ts";
import type { Ctx } from "./needs.ts";
import type { Tree } from "./settings-tree.ts";

export async function show(ctx: Ctx, drafts: Drafts, named: string | undefined) {
  const channel = nameOf(named);
  await drafts.load();
  if (channel === "") return { ok: true, channels: rowsOf(ctx, drafts) };
  assertChannel(channel);
  return { ok: true, ...rowsOf(ctx, drafts)[channel] };
}

export async function merge(ctx: Ctx, drafts: Drafts, body: { channel?: string; config?: unknown }) {
  const channel = nameOf(body.channel);
  await drafts.merge(channel, body.config as Tree);
  return { ok: true, ...rowsOf(ctx, drafts)[channel] };
}

export async function clear(drafts: Drafts, named: string | undefined) {
  const channel = nameOf(named);
  await drafts.load();
  await drafts.clear(channel === "" ? undefined : channel);
  return channel === "" ? { ok: true, cleared: "all" } : { ok: true, channel, cleared: true };
}

/** Whatever is refused leaves every draft as it is. */
export async function commit(ctx: Ctx, drafts: Drafts, { id }: Identity) {
  await drafts.load();
  const { table } = drafts;
  const why = `POST /api/channels/draft/commit by ${id}`;
  const result = await ctx.use.config.write(drafts.edits(), { who: "api", why });
  await drafts.drop(table).catch((error: unknown) => ctx.log.error({ error }, messageOf(error)));
  return { ok: true, committed: true, ...result };
}

function rowsOf(ctx: Ctx, drafts: Drafts): Readonly<Record<string, object>> {
  const section = objectOf(ctx.use.config.get("channels", "merged").value);
  const wanted = drafts.shown(section);
  const rows = channels.map((channel) => {
    const persisted = objectOf(section[channel]);
    const draft = wanted[channel] ?? null;
    const runtime = channel === "weixin" ? { runtime_enabled: ctx.use.weixin?.enabled() ?? false } : {};
    return [channel, { channel, persisted, draft, effective: draft ?? persisted, dirty: draft !== null, ...runtime }];
  });
  return Object.fromEntries(rows) as Readonly<Record<string, object>>;
}

function nameOf(text = ""): string {
  return text.trim().toLowerCase();
}
