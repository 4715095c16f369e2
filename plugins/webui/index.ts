/** webui: the page that people open first, its login, and the list of its panels. What a request needs is loaded with the first one. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Context, definePlugin, gateway, need, type Panel, Type } from "@chela/sdk";
import type { Page } from "./page.ts";

const needs = { gateway: need(gateway, "^1.0.0") };
const config = Type.Object({
  frameAncestors: Type.Array(Type.String({ pattern: "^('self'|https?://(\\*\\.)?[\\w-]+(\\.[\\w-]+)*(:\\d+)?)$" }), {
    default: [],
    description: "Origins of pages that may show this one in a frame; nobody when empty.",
  }),
});

type WebuiContext = Context<{ readonly frameAncestors: readonly string[] }, typeof needs>;

const panels: readonly Panel[] = [
  { id: "dashboard", title: "Dashboard", icon: "gauge", module: "webui:dashboard", access: "read", order: 20 },
  { id: "plugins", title: "Plugins", icon: "puzzle", module: "webui:plugins", access: "read", order: 60 },
  { id: "config", title: "Config", icon: "settings", module: "webui:config", access: "read", order: 70 },
];

/** `folder`: where the build put the page; what it loads lies below `ui/`. */
export function webui(folder: string) {
  return definePlugin({
    id: "webui",
    version: "1.0.0",
    host: "^1.0.0",
    about: "The WebUI",
    section: "webui",
    config,
    hot: ["frameAncestors"],
    needs,
    setup(ctx) {
      for (const panel of panels) ctx.panel(panel);
      registerPage(ctx, folder);
      registerSession(ctx);
    },
  });
}

function registerPage(ctx: WebuiContext, folder: string): void {
  let page: Page | undefined;
  ctx.route({
    method: "GET",
    path: "/",
    access: "public",
    head: true,
    about: "The WebUI",
    async handler({ headers, query }) {
      page ??= new (await import("./page.ts")).Page(folder);
      const withToken = (query as { token?: unknown }).token !== undefined;
      return page.reply({ asked: headers["if-none-match"], withToken, ancestors: ctx.config.frameAncestors });
    },
  });
  ctx.static("/ui", join(folder, "ui"), { access: "public", immutable: true, compressed: true });
}

function registerSession(ctx: WebuiContext): void {
  const { gateway } = ctx.use;
  const session = () => import("./session.ts");
  ctx.route({
    method: "GET",
    path: "/api/webui/session",
    access: "public",
    about: "Who is signed in, if anybody",
    handler: async (request) => (await session()).tell(gateway, request),
  });
  ctx.route({
    method: "POST",
    path: "/api/webui/login",
    access: "public",
    about: "Trades a token, a password or a key for a cookie: {credential}, as JSON, from an allowed page",
    body: Type.Object({
      credential: Type.String({ minLength: 1, maxLength: 4096, description: "The token, the password or a key" }),
    }),
    handler: async (request) => (await session()).login(gateway, request),
  });
  ctx.route({
    method: "POST",
    path: "/api/webui/logout",
    access: "public",
    about: "Takes the cookie back and ends the WebSockets and streamed replies that were opened with it",
    handler: async (request) => (await session()).logout(gateway, request),
  });
  ctx.route({
    method: "GET",
    path: "/api/panels",
    access: "read",
    about: "The pages of the live plugins that the caller may see, in order",
    handler: async (request) => (await session()).panelsOf(gateway, request),
  });
}

/** Beside this file's folder when it is bundled. */
const built = import.meta.url.endsWith(".ts") ? "../../dist/webui" : "../webui";

export default webui(fileURLToPath(new URL(built, import.meta.url)));
