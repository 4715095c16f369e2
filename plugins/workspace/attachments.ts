/** The one resolver of `[file: …]`: an upload or a file of the workspace, and nothing else on this machine. */
import { isAbsolute, posix, relative, sep } from "node:path";
import { type Attachment, type Files, GatewayError } from "@chela/sdk";
import { fileFacts } from "./uploads/file-facts.ts";
import { isId } from "./uploads/names.ts";

export interface AttachmentParts {
  readonly files: Files;
  root(): string;
  /** Absolute, free of links. */
  uploads(): string;
}

/** Undefined for whatever is not there or lies elsewhere: the two read alike. */
export async function findAttachment(parts: AttachmentParts, ref: string): Promise<Attachment | undefined> {
  const text = ref.trim();
  if (text === "" || text.length > 4096 || text.includes("\0")) return undefined;
  const place = placeOf(parts, text);
  if (!place) return undefined;
  try {
    const facts = await parts.files.facts(place.root, place.path);
    const name = posix.basename(place.path);
    const file = facts && (await fileFacts(facts.path, name));
    const read = (maxBytes: number) => parts.files.read(place.root, place.path, maxBytes);
    const isUpload = place.root !== parts.root();
    return file && { path: facts.path, name, type: file.type, size: file.size, isUpload, read };
  } catch (error) {
    if (GatewayError.is(error) || (error as NodeJS.ErrnoException).code !== undefined) return undefined;
    throw error;
  }
}

function placeOf(parts: AttachmentParts, text: string): { root: string; path: string } | undefined {
  const root = parts.root();
  if (!isAbsolute(text)) return { root, path: text };
  const uploads = parts.uploads();
  const upload = below(uploads, text);
  if (upload !== undefined) {
    const [id = "", ...rest] = upload.split("/");
    return isId(id) && rest.length === 1 ? { root: uploads, path: upload } : undefined;
  }
  const path = below(root, text);
  return path === undefined ? undefined : { root, path };
}

/** Written with `/`; undefined when it is not below, or the folder itself. */
function below(folder: string, path: string): string | undefined {
  const way = relative(folder, path);
  if (way === "" || way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way)) return undefined;
  return way.split(sep).join("/");
}
