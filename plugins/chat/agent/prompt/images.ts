/** Pictures that a message names as `[file: …]`, for models that look at them; the text stays as it is. */
import { type ContentPart, contentText, type Message, type Workspace } from "@chela/sdk";

const mention = /\[file: ([^\]\r\n]{1,1024})\]/g;
const shown = /^image\/(png|jpeg|gif|webp)$/;
const maxImages = 6;
/** Names that are looked up, whatever they name: a page that a tool has read may hold any number of them. */
const maxLooks = 100;
const maxImageBytes = 8 * 1024 * 1024;
const maxTotalBytes = 20 * 1024 * 1024;

export function namesFiles(messages: readonly Message[]): boolean {
  return messages.some(namesFile);
}

/** What people say, and what tools answer. */
function namesFile({ role, content }: Message): boolean {
  return (role === "user" || role === "tool") && typeof content === "string" && content.includes("[file: ");
}

/** The newest pictures, a bounded number. A file that cannot be read stays a name. */
export async function withImages(messages: readonly Message[], workspace: Workspace): Promise<readonly Message[]> {
  const seen = [...messages];
  let [count, bytes, looks] = [0, 0, 0];
  for (let index = seen.length - 1; index >= 0 && count < maxImages && looks < maxLooks; index--) {
    const message = seen[index] as Message;
    if (!namesFile(message) || typeof message.content !== "string") continue;
    const parts: ContentPart[] = [];
    for (const [, ref = ""] of message.content.matchAll(mention)) {
      if (count === maxImages || looks === maxLooks) break;
      looks += 1;
      const wanted = { ref, uploadsOnly: message.role === "tool", room: maxTotalBytes - bytes };
      const image = await load(workspace, wanted);
      if (!image) continue;
      count += 1;
      bytes += image.bytes;
      parts.push({ type: "image", url: image.url });
    }
    if (parts.length > 0) seen[index] = { ...message, content: [{ type: "text", text: message.content }, ...parts] };
  }
  return count === 0 ? messages : seen;
}

export function holdsImages(messages: readonly Message[]): boolean {
  return messages.some(({ content }) => typeof content !== "string" && content.some(({ type }) => type === "image"));
}

/** For a model that refused them. */
export function withoutImages(messages: readonly Message[]): readonly Message[] {
  return messages.map((message) => {
    if (typeof message.content === "string") return message;
    return { ...message, content: contentText(message.content) };
  });
}

interface Wanted {
  readonly ref: string;
  /** The text may be anybody's: it shows what was kept of it, and nothing of the workspace. */
  readonly uploadsOnly: boolean;
  readonly room: number;
}

async function load(
  workspace: Workspace,
  { ref, uploadsOnly, room }: Wanted,
): Promise<{ url: string; bytes: number } | undefined> {
  try {
    const file = await workspace.attachment(ref.trim());
    const most = Math.min(maxImageBytes, room);
    if (!file || !shown.test(file.type) || file.size > most) return undefined;
    if (uploadsOnly && !file.isUpload) return undefined;
    const data = await file.read(most);
    return data && { url: `data:${file.type};base64,${Buffer.from(data).toString("base64")}`, bytes: data.length };
  } catch {
    return undefined;
  }
}
