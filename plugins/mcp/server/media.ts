/** Pictures and sounds that an answer names as kept (`[file: PATH]`), for clients that have no other way to them. */
import type { Workspace } from "@chela/sdk";
import type { ShownMedia } from "./offered.ts";

const mention = /\[file: ([^\]\r\n]{1,1024})\]/g;
const shown = /^(image|audio)\/(?:png|jpeg|gif|webp|wav|mpeg|ogg)$/;
const maxFiles = 8;
const maxBytes = 8 * 1024 * 1024;

/** The text may be anybody's: of the workspace it shows nothing. */
export async function mediaOf(text: string, workspace: Workspace | undefined): Promise<readonly ShownMedia[]> {
  const found: ShownMedia[] = [];
  let room = maxBytes;
  for (const [, path = ""] of [...text.matchAll(mention)].slice(0, maxFiles)) {
    const file = await workspace?.attachment(path).catch(() => undefined);
    const kind = file?.isUpload && file.size <= room ? shown.exec(file.type)?.[1] : undefined;
    const bytes = kind && (await file?.read(room).catch(() => undefined));
    if (!file || !bytes) continue;
    room -= bytes.length;
    found.push({ type: kind as ShownMedia["type"], mimeType: file.type, data: Buffer.from(bytes).toString("base64") });
  }
  return found;
}
