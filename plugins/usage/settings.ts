/** The `usage` section. Everything is read live, so every key is hot. */
import { type Static, Type } from "@chela/sdk";

const Price = Type.Object(
  {
    input: Type.Optional(Type.Number({ minimum: 0, description: "US dollars for a million input tokens" })),
    output: Type.Optional(Type.Number({ minimum: 0, description: "US dollars for a million output tokens" })),
    cached: Type.Optional(
      Type.Number({
        minimum: 0,
        description: "US dollars for a million input tokens from the cache; default: as input",
      }),
    ),
  },
  { additionalProperties: true },
);

export const UsageConfig = Type.Object({
  retention_days: Type.Integer({
    minimum: 1,
    maximum: 3_650,
    default: 90,
    description: "How long single calls are kept",
  }),
  rollup_days: Type.Integer({
    minimum: 1,
    maximum: 36_500,
    default: 1_095,
    description: "How long the sums of each day are kept",
  }),
  prices: Type.Record(Type.String(), Price, {
    default: {},
    description: "By model: provider/model or the model alone; goes before the table that is built in",
  }),
});

export type UsageSettings = Static<typeof UsageConfig>;
