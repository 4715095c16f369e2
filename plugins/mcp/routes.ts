/** HTTP: `POST /api/mcp/install` with ClawGo's answers, and `/mcp`. */
import { GatewayError, Type } from "@chela/sdk";
import type { LazyFleet } from "./lazy-fleet.ts";
import type { Ctx } from "./needs.ts";
import type { Face } from "./server/face.ts";

const Install = Type.Object({
  package: Type.Optional(Type.String({ description: "Name of the package, with a version if wanted; required" })),
  installer: Type.Optional(Type.String({ description: "uv (default), bun or npm" })),
});

export function registerRoutes(ctx: Ctx, fleet: LazyFleet): void {
  ctx.route({
    method: "POST",
    path: "/api/mcp/install",
    access: "admin",
    about: "Installs the package of an MCP server with uv, bun or npm; 10 minutes at most.",
    body: Install,
    limit: 65_536,
    reply: Type.Object({
      ok: Type.Boolean(),
      package: Type.String(),
      output: Type.String(),
      bin_name: Type.String(),
      bin_path: Type.String(),
    }),
    handler: async ({ body, signal, identity }) => {
      const { install } = await import("./install/install.ts");
      return await install(
        ctx,
        { package: body.package ?? "", installer: body.installer },
        { signal, by: identity.id },
      );
    },
  });
  registerFace(ctx, fleet);
}

function registerFace(ctx: Ctx, fleet: LazyFleet): void {
  let face: Promise<Face> | undefined;
  const open = async () => {
    const { Face } = await import("./server/face.ts");
    return new Face(ctx, fleet);
  };
  /** What comes after it finds another one. */
  const close = async () => {
    const before = face;
    face = undefined;
    await (await before)?.close();
  };
  ctx.own("MCP sessions", close);
  ctx.stopping.addEventListener("abort", () => void close(), { once: true });
  ctx.every(60_000, async () => (await face)?.sweep());
  ctx.onConfig(async (now) => {
    if (!now.enabled) await close();
  });
  for (const method of ["POST", "GET", "DELETE"] as const) {
    ctx.route({
      method,
      path: "/mcp",
      access: "read",
      about: "Tools, texts of the workspace and skills over MCP (streamable HTTP), on while tools.mcp.enabled is.",
      handler: async (request) => {
        if (!ctx.config.enabled) throw new GatewayError("NOT_FOUND", 404, "404 page not found");
        face ??= open();
        return (await face).answer(request);
      },
    });
  }
}
