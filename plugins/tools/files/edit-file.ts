/** edit_file: exact replacements in one file, all or none, while nobody else writes it. */
import { GatewayError } from "@chela/sdk";
import { present } from "../world.ts";
import { contentOf } from "./content.ts";
import { applyEdits, type Edit } from "./edit.ts";
import { belowRoot, missing, placeIn } from "./place.ts";
import type { FileParts } from "./tools.ts";
import { tooLarge } from "./write-file.ts";

export interface EditInput {
  readonly path: string;
  readonly old_text?: string | undefined;
  readonly new_text?: string | undefined;
  readonly replace_all?: boolean | undefined;
  readonly edits?: readonly Edit[] | undefined;
}

export async function editFileTool({ ctx, pacer }: FileParts, input: EditInput, signal: AbortSignal): Promise<string> {
  const edits = editsOf(input);
  const workspace = present(ctx, "workspace");
  const root = workspace.folder();
  const path = belowRoot(root, input.path);
  const { max_write_bytes: maxBytes } = ctx.config.filesystem;
  if ((await placeIn(ctx.use.files, root, path)) === undefined) throw missing(input.path);
  return workspace.alone(path, async () => {
    const bytes = await ctx.use.files.read(root, path, maxBytes);
    if (!bytes) throw missing(input.path);
    const pace = pacer.pace(signal);
    const content = await contentOf(bytes, pace);
    if (content.kind !== "text" || !content.utf8)
      throw new GatewayError("FILE_BINARY", 400, `${JSON.stringify(path)} is no UTF-8 text and cannot be edited`);
    const { text, places } = await applyEdits(content.text, edits, { maxChars: maxBytes, pace });
    const after = Buffer.from(content.bom ? `\ufeff${text}` : text, "utf8");
    if (after.length > maxBytes) throw tooLarge(path, after.length, maxBytes);
    signal.throwIfAborted();
    await ctx.use.files.write(root, path, after);
    return `Edited ${path}: ${places} ${places === 1 ? "place" : "places"} changed.`;
  });
}

function editsOf({ old_text, new_text, replace_all, edits }: EditInput): readonly Edit[] {
  if (edits?.length && old_text === undefined) return edits;
  if (!edits?.length && old_text !== undefined && new_text !== undefined) return [{ old_text, new_text, replace_all }];
  throw new GatewayError("EDIT_REFUSED", 400, "give either old_text and new_text, or a list of edits");
}
