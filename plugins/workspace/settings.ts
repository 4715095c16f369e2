/** The section `workspace`. Everything in it is read live. */
import { type Static, Type } from "@chela/sdk";

export const megabyte = 1_048_576;
export const dayMs = 86_400_000;

const Prompt = Type.Object(
  {
    doc_chars: Type.Integer({
      minimum: 500,
      maximum: 1_000_000,
      default: 20_000,
      description: "Of one document or note; the rest is cut off, and the model is told.",
    }),
    total_chars: Type.Integer({
      minimum: 1_000,
      maximum: 4_000_000,
      default: 60_000,
      description: "Of all documents together, and of all notes together.",
    }),
  },
  { default: {} },
);

const Uploads = Type.Object(
  {
    max_mb: Type.Integer({ minimum: 1, maximum: 102_400, default: 100, description: "One upload." }),
    quota_mb: Type.Integer({ minimum: 1, maximum: 10_485_760, default: 2_048, description: "All uploads together." }),
    max_count: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 10_000, description: "Uploads that are kept." }),
    max_age_days: Type.Integer({
      minimum: 0,
      maximum: 36_500,
      default: 30,
      description: "Older uploads are deleted; 0 keeps them for ever.",
    }),
  },
  { default: {} },
);

export const WorkspaceSection = Type.Object({
  dir: Type.String({
    default: "",
    description:
      "The folder. Empty: agents.defaults.workspace, else `workspace` in the state dir. `~` is your home; relative: below the state dir.",
  }),
  bootstrap: Type.Boolean({
    default: true,
    description: "Put the first documents into a workspace that has none.",
  }),
  prompt: Prompt,
  uploads: Uploads,
});

export type WorkspaceSettings = Static<typeof WorkspaceSection>;
