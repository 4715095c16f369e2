/** Shapes that routes and methods share. */
import { Type } from "@chela/sdk";

export const Nothing = Type.Object({});
export const PluginId = Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) });

/** One change, several, or the text of a whole file. */
export const Edits = Type.Object({
  path: Type.Optional(Type.String({ maxLength: 1024 })),
  value: Type.Optional(Type.Unknown()),
  edits: Type.Optional(
    Type.Array(Type.Object({ path: Type.String({ maxLength: 1024 }), value: Type.Optional(Type.Unknown()) }), {
      maxItems: 10_000,
    }),
  ),
  text: Type.Optional(Type.String()),
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
