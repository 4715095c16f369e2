/** Version, status, OpenAPI, plugins, and the plain door to every RPC method. */
import { type GatewayError, Reply, Type } from "@chela/sdk";
import type { Ctx } from "./needs.ts";
import { switchPlugin } from "./plugin-changes.ts";
import { Status, statusOf } from "./status.ts";

const channelIds: ReadonlySet<string> = new Set(["feishu", "telegram", "weixin"]);
const versionKeptMs = 1000;
/** As much as an archive may have. */
const maxPluginBytes = 100 * 1024 * 1024;

const PluginChange = Type.Object({
  action: Type.Union(
    [
      Type.Literal("enable"),
      Type.Literal("disable"),
      Type.Literal("reload"),
      Type.Literal("release"),
      Type.Literal("install"),
      Type.Literal("update"),
      Type.Literal("uninstall"),
    ],
    { description: "What to do with it" },
  ),
  id: Type.Optional(
    Type.String({ minLength: 1, maxLength: 128, description: "Id of the plugin; for all but install" }),
  ),
  source: Type.Optional(
    Type.String({ minLength: 1, maxLength: 4096, description: "For install: folder, tarball or name[@range]." }),
  ),
});

export function registerGatewayRoutes(ctx: Ctx): void {
  const { gateway, plugins } = ctx.use;
  ctx.route({
    method: "GET",
    path: "/api/version",
    access: "read",
    about: "Version of the gateway, and the channels that are live.",
    reply: Type.Object({
      ok: Type.Literal(true),
      gateway_version: Type.String(),
      compiled_channels: Type.Array(Type.String()),
    }),
    handler: versionHandler(ctx),
  });
  ctx.route({
    method: "GET",
    path: "/api/status",
    access: "read",
    about: "The state of the gateway, its config and its plugins.",
    reply: Type.Intersect([Type.Object({ ok: Type.Literal(true) }), Status]),
    handler: () => ({ ok: true, ...statusOf(ctx.use) }),
  });
  ctx.route({
    method: "GET",
    path: "/openapi.json",
    access: "read",
    about: "OpenAPI 3.1 of everything that is live.",
    handler: () => gateway.openapi(),
  });
  ctx.route({
    method: "GET",
    path: "/api/plugins",
    access: "read",
    about: "All plugins with their state.",
    handler: () => ({ ok: true, plugins: plugins.list() }),
  });
  ctx.route({
    method: "POST",
    path: "/api/plugins",
    access: "admin",
    about: "Switches, reloads, releases, installs, updates or uninstalls a plugin.",
    body: PluginChange,
    handler: async ({ body, identity }) => ({ ok: true, ...(await switchPlugin(ctx, body, identity)) }),
  });
  ctx.route({
    method: "POST",
    path: "/api/plugins/upload",
    access: "admin",
    about: "Installs or upgrades from a .tgz as `npm pack` makes it: multipart, field `file`.",
    upload: { maxFileBytes: maxPluginBytes, maxFiles: 1 },
    handler: async (request) => {
      const { installUpload } = await import("./plugin-upload.ts");
      return { ok: true, ...(await installUpload(ctx, request)) };
    },
  });
  registerCall(ctx);
}

/** The benchmark's route: the reply is made after an event, and else once a second at most. */
function versionHandler(ctx: Ctx): () => Reply {
  const { events, gateway, plugins } = ctx.use;
  let reply: Reply | undefined;
  let madeAt = 0;
  let forget = () => {};
  ctx.own("version", () => forget());
  forget = events.subscribe(() => {
    madeAt = 0;
  });
  return () => {
    const now = Date.now();
    if (reply && now - madeAt < versionKeptMs) return reply;
    const live = plugins.list().filter(({ id, state }) => state === "running" && channelIds.has(id));
    madeAt = now;
    reply = Reply.json({
      ok: true,
      gateway_version: gateway.status().version,
      compiled_channels: live.map(({ id }) => id).sort(),
    });
    return reply;
  };
}

function registerCall(ctx: Ctx): void {
  ctx.route({
    method: "POST",
    path: "/api/call",
    access: "read",
    about: "Runs an RPC method; the method's own access decides.",
    body: Type.Object({
      method: Type.String({ minLength: 1, maxLength: 128, description: "Name of the method: config.get" }),
      params: Type.Optional(Type.Unknown({ description: "An object with the method's own parameters" })),
    }),
    handler: async ({ body, identity, id, signal }) => {
      const result = await ctx.use.gateway.call(body.method, body.params, { identity, id, signal });
      return { ok: true, result: result ?? null };
    },
  });
  ctx.on("http:error", (error, { path }) => (path === "/api/call" ? refusal(error) : undefined));
}

function refusal({ code, message, details, status, headers }: GatewayError): Reply {
  const error = { code, message, ...(details === undefined ? {} : { details }) };
  return Reply.json({ ok: false, error }, { status, headers: { "x-content-type-options": "nosniff", ...headers } });
}
