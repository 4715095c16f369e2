/** read_file, write_file, edit_file, list_dir: what models are told of them. Their code is loaded at the first call. */
import { Pacer, type Tool, type TSchema, Type } from "@chela/sdk";
import type { Ctx } from "../world.ts";

const Path = (description: string) => Type.String({ minLength: 1, maxLength: 4096, description });
const OldText = Type.String({ description: "Text as it stands in the file, white space included" });
const NewText = Type.String({ description: "What takes its place" });
const All = Type.Boolean({ description: "Replace every place; default: there must be exactly one" });

/** What all of them share. */
export interface FileParts {
  readonly ctx: Ctx;
  readonly pacer: Pacer;
}

export function fileTools(ctx: Ctx): Tool<TSchema>[] {
  const parts: FileParts = { ctx, pacer: new Pacer() };
  const read: Tool<typeof ReadInput> = {
    name: "read_file",
    about:
      "Reads a text file of the workspace, or an upload by the path in [file: PATH], as a window of lines. Images are described, other binary files refused.",
    input: ReadInput,
    risk: "read",
    access: "read",
    run: async (input, { signal }) => (await import("./read-file.ts")).readFileTool(parts, input, signal),
  };
  const write: Tool<typeof WriteInput> = {
    name: "write_file",
    about: "Writes a whole file of the workspace, making its folders; with append, adds to its end.",
    input: WriteInput,
    risk: "write",
    access: "write",
    run: async (input, { signal }) => (await import("./write-file.ts")).writeFileTool(parts, input, signal),
  };
  const edit: Tool<typeof EditInput> = {
    name: "edit_file",
    about:
      "Replaces exact text in a file of the workspace. old_text must be there exactly once. Several edits are done in order, all or none.",
    input: EditInput,
    risk: "write",
    access: "write",
    run: async (input, { signal }) => (await import("./edit-file.ts")).editFileTool(parts, input, signal),
  };
  const list: Tool<typeof ListInput> = {
    name: "list_dir",
    about: "Lists a folder of the workspace with the sizes of files; recursive lists what is below, too.",
    input: ListInput,
    risk: "read",
    access: "read",
    run: async (input, { signal }) => (await import("./list-dir.ts")).listDirTool(ctx, input, signal),
  };
  return [read, write, edit, list] as unknown as Tool<TSchema>[];
}

const ReadInput = Type.Object({
  path: Path("Below the workspace: notes/today.md; or of an upload"),
  offset: Type.Integer({ minimum: 1, default: 1, description: "First line" }),
  limit: Type.Integer({ minimum: 1, maximum: 20_000, default: 2_000, description: "Lines at most" }),
});

const WriteInput = Type.Object({
  path: Path("Below the workspace"),
  content: Type.String({ description: "The whole new content" }),
  append: Type.Boolean({ default: false, description: "Add to the end instead" }),
});

const EditInput = Type.Object({
  path: Path("Below the workspace"),
  old_text: Type.Optional(OldText),
  new_text: Type.Optional(NewText),
  replace_all: Type.Optional(All),
  edits: Type.Optional(
    Type.Array(Type.Object({ old_text: OldText, new_text: NewText, replace_all: Type.Optional(All) }), {
      maxItems: 100,
      description: "Several edits instead of one",
    }),
  ),
});

const ListInput = Type.Object({
  path: Type.String({ maxLength: 4096, default: ".", description: "Below the workspace; . is its root" }),
  recursive: Type.Boolean({ default: false, description: "What is below, too" }),
});
