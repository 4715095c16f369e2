/** The `config.*` methods: thin faces over the config service. */
import { type Call, GatewayError, Type, type WriteOptions } from "@chela/sdk";
import { planned } from "./config-routes.ts";
import type { Ctx } from "./needs.ts";
import { BackupId, BaseHash, Change, EditList, Edits, Nothing, PlannedRows } from "./schemas.ts";

const Path = Type.String({ minLength: 1, maxLength: 1024, description: 'Dotted: gateway.port, a["x.y"].' });
const Text = Type.String({ description: "A whole file, as config.text gives it" });
const Force = Type.Boolean({ description: "Also a write that drops a section nobody named, or half of the file" });
const Guards = { baseHash: Type.Optional(BaseHash), force: Type.Optional(Force) };

export function registerConfigMethods(ctx: Ctx): void {
  registerReads(ctx);
  registerDescriptions(ctx);
  registerEditor(ctx);
  registerVersions(ctx);
  registerWrites(ctx);
}

function registerReads(ctx: Ctx): void {
  const { config } = ctx.use;
  ctx.method({
    name: "config.get",
    access: "read",
    about: "One value, or everything; secrets redacted. From the file, or with defaults: `source: merged`.",
    params: Type.Object({
      path: Type.Optional(Path),
      source: Type.Union([Type.Literal("file"), Type.Literal("merged")], {
        default: "file",
        description: "file: what is written there; merged: with defaults and environment",
      }),
    }),
    result: Type.Object({ found: Type.Boolean(), value: Type.Optional(Type.Unknown()) }),
    handler: ({ path, source }) => {
      if (path !== undefined) return config.get(path, source);
      return { found: true, value: source === "merged" ? config.view() : config.file() };
    },
  });
  ctx.method({
    name: "config.check",
    access: "read",
    about: "What is wrong with the file as it is, warnings included.",
    params: Nothing,
    handler: () => {
      const problems = config.problems();
      const trouble = config.trouble();
      return {
        ok: trouble === null && !problems.some(({ level }) => level === "error"),
        trouble,
        problems,
        path: config.path,
      };
    },
  });
  ctx.method({
    name: "config.plan",
    // It compares with secrets: whoever may ask as often as he likes could guess them.
    access: "admin",
    about: "What a change would do.",
    params: Edits,
    result: PlannedRows,
    handler: (params) => planned(ctx, params),
  });
}

/** For somebody who makes a form of it. */
function registerDescriptions(ctx: Ctx): void {
  const { config } = ctx.use;
  ctx.method({
    name: "config.schema",
    access: "read",
    about: "JSON Schema of every section that is live.",
    params: Nothing,
    handler: () => config.schema(),
  });
  ctx.method({
    name: "config.sections",
    access: "read",
    about:
      "Every section that is live: its owner, its schema, what applies at once, and what is in effect, secrets redacted.",
    params: Nothing,
    handler: () => config.sections().map((section) => ({ ...section, ...config.get(section.path, "merged") })),
  });
  ctx.method({
    name: "config.overrides",
    access: "read",
    about: "The keys that the environment decides, by path with the name of the variable.",
    params: Nothing,
    handler: () => config.overrides(),
  });
}

/** For somebody who edits the file as text. */
function registerEditor(ctx: Ctx): void {
  const { config } = ctx.use;
  ctx.method({
    name: "config.text",
    access: "read",
    about: "The file as text, secrets masked, with its problems and their lines; also one that does not parse.",
    params: Nothing,
    handler: () => config.text(),
  });
  ctx.method({
    name: "config.validate",
    access: "admin",
    about: "What writing a text would do: its problems with their lines, the plan and the difference.",
    params: Type.Object({ text: Text }),
    handler: ({ text }) => config.judge(text),
  });
  ctx.method({
    name: "config.edit",
    access: "admin",
    about: "Several changes, made together or not at all; one without a value removes its key.",
    params: Type.Object({ edits: EditList, ...Guards }),
    result: Change,
    handler: ({ edits, ...guards }, call) => {
      const rows = edits.map(({ path, value }) => ({ path, value }));
      const some = rows.slice(0, 3).map(({ path }) => path);
      return config.write(rows, optionsOf(`config.edit ${some.join(", ")}`, call, guards));
    },
  });
  ctx.method({
    name: "config.write",
    access: "admin",
    about: "Puts a text in place of the whole file, also of one that does not parse. Its marks keep what they cover.",
    params: Type.Object({ text: Text, baseHash: BaseHash, force: Type.Optional(Force) }),
    result: Change,
    handler: ({ text, baseHash, ...guards }, call) =>
      config.writeText(text, { ...optionsOf("config.write", call, guards), baseHash }),
  });
}

function registerVersions(ctx: Ctx): void {
  const { config } = ctx.use;
  ctx.method({
    name: "config.diff",
    access: "read",
    about: "Unified diff of a backup (default: the newest) against the file, secrets redacted.",
    params: Type.Object({ id: Type.Optional(BackupId) }),
    result: Type.Object({ diff: Type.String() }),
    handler: async ({ id }) => ({ diff: await config.diff(id) }),
  });
  ctx.method({
    name: "config.backups",
    access: "read",
    about: "Earlier versions, newest first.",
    params: Nothing,
    handler: () => config.backups(),
  });
  ctx.method({
    name: "config.backup",
    access: "read",
    about: "One earlier version as text, secrets redacted.",
    params: Type.Object({ id: BackupId }),
    handler: ({ id }) => config.backup(id),
  });
}

function registerWrites(ctx: Ctx): void {
  const { config } = ctx.use;
  ctx.method({
    name: "config.set",
    access: "admin",
    about: "Sets one value.",
    params: Type.Object({ path: Path, value: Type.Unknown({ description: "Any JSON" }), ...Guards }),
    result: Change,
    handler: ({ path, value, ...guards }, call) => {
      if (value === undefined)
        throw new GatewayError("INVALID", 400, "params of config.set: value must be given; config.unset removes a key");
      return config.write([{ path, value }], optionsOf(`config.set ${path}`, call, guards));
    },
  });
  ctx.method({
    name: "config.unset",
    access: "admin",
    about: "Removes a key; its default applies again.",
    params: Type.Object({ path: Path, ...Guards }),
    result: Change,
    handler: ({ path, ...guards }, call) =>
      config.write([{ path, value: undefined }], optionsOf(`config.unset ${path}`, call, guards)),
  });
  ctx.method({
    name: "config.rollback",
    access: "admin",
    about: "Puts a backup back, the newest by default.",
    params: Type.Object({ id: Type.Optional(BackupId), ...Guards }),
    result: Change,
    handler: ({ id, ...guards }, call) => config.rollback(id, optionsOf("config.rollback", call, guards)),
  });
  ctx.method({
    name: "config.reload",
    access: "admin",
    about: "Reads the file again and applies what changed; fails while it does not parse.",
    params: Nothing,
    result: Change,
    handler: (_, { identity }) => config.reload(`config.reload by ${identity.id}`),
  });
}

function optionsOf(what: string, { identity }: Call, guards: { baseHash?: string; force?: boolean }): WriteOptions {
  return { who: "api", why: `${what} by ${identity.id}`, ...guards };
}
