/** Shapes that routes and methods share. */
import { Type } from "@chela/sdk";

export const Nothing = Type.Object({});
const Id = Type.String({ minLength: 1, maxLength: 128, description: "Id of the plugin" });
export const PluginId = Type.Object({ id: Id });
export const BackupId = Type.String({ description: "Id of a backup, as config.backups tells it; default: the newest" });
export const BaseHash = Type.String({
  description: "SHA-256 of the file that was read, hex; 409 when it is another version by now",
});
const DottedPath = Type.String({ maxLength: 1024, description: "Dotted path of the key" });
const Value = Type.Unknown({ description: "The new value; absent: the key is removed" });

export const EditList = Type.Array(Type.Object({ path: DottedPath, value: Type.Optional(Value) }), {
  maxItems: 10_000,
  description: "Several changes, made together",
});

/** One change, several, or the text of a whole file. */
export const Edits = Type.Object({
  path: Type.Optional(DottedPath),
  value: Type.Optional(Value),
  edits: Type.Optional(EditList),
  text: Type.Optional(Type.String({ description: "A whole file instead of changes" })),
});

/** What a change did. */
export const Change = Type.Object({
  applied: Type.Array(Type.String()),
  restarted: Type.Array(Type.String()),
  pending: Type.Array(Type.String()),
  failed: Type.Array(Type.Object({ id: Type.String(), reason: Type.String() })),
  hash: Type.String(),
});

export const PlannedRows = Type.Array(
  Type.Object({
    path: Type.String(),
    class: Type.Union([
      Type.Literal("hot"),
      Type.Literal("restart-plugin"),
      Type.Literal("restart-gateway"),
      Type.Literal("none"),
    ]),
    owner: Type.String(),
  }),
);
