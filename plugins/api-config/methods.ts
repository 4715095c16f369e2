/** The RPC methods of the host's own services: gateway, plugins, commands. */
import { Type } from "@chela/sdk";
import type { Ctx } from "./needs.ts";
import { type PluginAction, switchPlugin } from "./plugin-changes.ts";
import { Nothing, PluginId } from "./schemas.ts";
import { Status, statusOf } from "./status.ts";

export function registerMethods(ctx: Ctx): void {
  registerGatewayMethods(ctx);
  registerPluginReads(ctx);
  registerPluginChanges(ctx);
  const { gateway } = ctx.use;
  ctx.method({
    name: "commands.list",
    access: "read",
    about: "Commands that plugins add to the CLI.",
    params: Nothing,
    handler: () => gateway.commands(),
  });
  ctx.method({
    name: "commands.run",
    access: "read",
    about: "Runs one; its own access decides.",
    params: Type.Object({
      name: Type.String({ minLength: 1, maxLength: 128, description: "Name of the command" }),
      args: Type.Optional(Type.Unknown({ description: "An object with the command's own arguments" })),
    }),
    handler: ({ name, args }, call) => gateway.runCommand(name, args, call),
  });
}

function registerGatewayMethods(ctx: Ctx): void {
  const { gateway } = ctx.use;
  ctx.method({
    name: "gateway.status",
    access: "read",
    about: "The state of the gateway, its config and its plugins.",
    params: Nothing,
    result: Status,
    handler: () => statusOf(ctx.use),
  });
  ctx.method({
    name: "gateway.health",
    access: "read",
    about: "Every health check, run now.",
    params: Nothing,
    handler: () => gateway.health(),
  });
  ctx.method({
    name: "gateway.startup",
    access: "read",
    about: "What each plugin's start cost.",
    params: Nothing,
    handler: () => gateway.startup(),
  });
  ctx.method({
    name: "gateway.restart",
    access: "admin",
    about: "Restarts the gateway inside its process; with `full` (default) every plugin, else what its listener needs.",
    params: Type.Object({
      full: Type.Boolean({ default: true, description: "Every plugin anew; false: what the listener needs" }),
    }),
    result: Type.Object({ restarted: Type.Literal(true) }),
    handler: async ({ full }, { identity }) => {
      ctx.log.info({ full, by: identity.id }, "restart");
      await gateway.restart({ full, why: `gateway.restart by ${identity.id}` });
      return { restarted: true };
    },
  });
  ctx.method({
    name: "gateway.stop",
    access: "admin",
    about: 'Stops the gateway. Answers before it happens. With `why: "restart"` it ends with 75: start me again.',
    params: Type.Object({
      why: Type.Optional(Type.Union([Type.Literal("stop"), Type.Literal("restart")], { description: "Default stop" })),
    }),
    handler: ({ why }, { identity }) => {
      ctx.log.info({ why: why ?? "stop", by: identity.id }, "stop");
      gateway.stop(why === "restart" ? why : `gateway.stop by ${identity.id}`);
      return { stopping: true };
    },
  });
}

function registerPluginReads(ctx: Ctx): void {
  const { plugins, config } = ctx.use;
  ctx.method({
    name: "plugins.list",
    access: "read",
    about: "All plugins with their state.",
    params: Nothing,
    handler: () => plugins.list(),
  });
  ctx.method({
    name: "plugins.info",
    access: "read",
    about: "Everything about one plugin, with what it registered and the access each part demands.",
    params: PluginId,
    handler: ({ id }) => plugins.info(id),
  });
  ctx.method({
    name: "plugins.doctor",
    access: "read",
    about: "What is wrong with plugins and what to do, worst first.",
    params: Nothing,
    handler: async () => (await import("./doctor.ts")).findings(plugins, config),
  });
}

function registerPluginChanges(ctx: Ctx): void {
  const { plugins } = ctx.use;
  const changes: readonly [PluginAction, string][] = [
    ["enable", "Switches a plugin on, and says so in the config."],
    ["disable", "Switches it off, and says so in the config."],
    ["reload", "Sets it up anew; an installed one is read from disk again."],
    ["release", "Lets a quarantined plugin try again."],
    ["update", "Installs an installed one again from where it came: of an npm name the newest in its range."],
    ["uninstall", "Removes an installed plugin."],
  ];
  for (const [action, about] of changes) {
    ctx.method({
      name: `plugins.${action}`,
      access: "admin",
      about,
      params: PluginId,
      handler: ({ id }, { identity }) => switchPlugin(ctx, { action, id }, identity),
    });
  }
  ctx.method({
    name: "plugins.install",
    access: "admin",
    about: "Installs or upgrades from a folder, a tarball or `name[@range]`.",
    params: Type.Object({
      source: Type.String({ minLength: 1, maxLength: 4096, description: "Folder, tarball or name[@range]" }),
    }),
    handler: ({ source }, { identity }) => switchPlugin(ctx, { action: "install", source }, identity),
  });
  ctx.method({
    name: "plugins.outdated",
    access: "admin",
    about: "What the registry has for each plugin that was installed by its npm name.",
    params: Nothing,
    handler: () => plugins.outdated(),
  });
  ctx.method({
    name: "plugins.refresh",
    access: "admin",
    about: "Reads the installed plugins again after another process changed them.",
    params: Nothing,
    handler: () => plugins.refresh(),
  });
}
