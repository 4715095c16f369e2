/** `/api/channels/draft` as ClawGo has it. What answers is loaded with the first request. */
import { Type } from "@chela/sdk";
import type { Drafts } from "./drafts.ts";
import type { Ctx } from "./needs.ts";

const path = "/api/channels/draft";
const bodyLimit = 262_144;
const Which = Type.Object({
  channel: Type.Optional(Type.String({ maxLength: 64, description: "weixin, telegram or feishu; default: all" })),
});
const Wanted = Type.Object({
  channel: Type.Optional(Type.String({ description: "weixin, telegram or feishu; required" })),
  config: Type.Optional(
    Type.Unknown({ description: "An object with settings of the channel: what it names is changed; required" }),
  ),
});
const settings = (description: string) => Type.Object({}, { additionalProperties: true, description });
const State = {
  persisted: settings("The section as it is in effect"),
  draft: Type.Union([settings("The section as it would be"), Type.Null()]),
  effective: settings("The draft, or what is persisted"),
  dirty: Type.Boolean({ description: "There is a draft" }),
  runtime_enabled: Type.Optional(Type.Boolean({ description: "The channel runs; weixin only" })),
};
const One = Type.Object({ ok: Type.Literal(true), channel: Type.String(), ...State });
const All = Type.Object({
  ok: Type.Literal(true),
  channels: Type.Record(Type.String(), Type.Object({ channel: Type.String(), ...State })),
});
const Cleared = Type.Object({
  ok: Type.Literal(true),
  channel: Type.Optional(Type.String({ description: "Absent: all channels" })),
  cleared: Type.Union([Type.Literal(true), Type.Literal("all")]),
});
const Committed = Type.Object({
  ok: Type.Literal(true),
  committed: Type.Literal(true),
  applied: Type.Array(Type.String()),
  restarted: Type.Array(Type.String()),
  pending: Type.Array(Type.String()),
  failed: Type.Array(Type.Object({ id: Type.String(), reason: Type.String() })),
  hash: Type.String(),
});

export function registerRoutes(ctx: Ctx, drafts: Drafts): void {
  const forms = () => import("./forms.ts");
  ctx.route({
    method: "GET",
    path,
    access: "read",
    about: "What is persisted of a channel's settings, and what its draft would make of it; secrets redacted.",
    query: Which,
    reply: Type.Union([One, All]),
    handler: async ({ query }) => (await forms()).show(ctx, drafts, query.channel),
  });
  ctx.route({
    method: "POST",
    path,
    access: "admin",
    about: "Merges settings into a channel's draft; the config stays as it is until the draft is committed.",
    body: Wanted,
    reply: One,
    limit: bodyLimit,
    handler: async ({ body }) => (await forms()).merge(ctx, drafts, body),
  });
  ctx.route({
    method: "DELETE",
    path,
    access: "admin",
    about: "Throws a draft away, or all.",
    query: Which,
    reply: Cleared,
    handler: async ({ query }) => (await forms()).clear(drafts, query.channel),
  });
  ctx.route({
    method: "POST",
    path: `${path}/commit`,
    access: "admin",
    about: "Writes all drafts into the config, in one change.",
    reply: Committed,
    limit: bodyLimit,
    handler: async ({ identity }) => (await forms()).commit(ctx, drafts, identity),
  });
}
