/** Files that belong to messages: how they are named in the text of a message, and what is known of one from its name. */

export interface Attachment {
  readonly path: string;
  readonly name: string;
  readonly size?: number;
  readonly type?: string;
}

const mention = /\n?\[file: ([^\]\r\n]{1,1024})\]/g;
const picture = /\.(png|jpe?g|gif|webp|avif|bmp)$/i;
const upload = /(?:^|[\\/])uploads[\\/]([0-9a-f]{32})[\\/][^\\/]+$/;

/** The words of a message and the files that it names. */
export function taken(content: string): { readonly text: string; readonly files: readonly Attachment[] } {
  const files = [...content.matchAll(mention)].map(([, path = ""]) => ({ path, name: nameOf(path) }));
  return { text: content.replace(mention, ""), files };
}

export function isPicture({ name, type }: Attachment): boolean {
  return type === undefined ? picture.test(name) : /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(type);
}

/** Where its bytes are; what lies outside of uploads and workspace has no address. */
export function addressOf({ path }: Attachment): { readonly upload: string } | { readonly file: string } | undefined {
  const id = upload.exec(path)?.[1];
  if (id !== undefined) return { upload: id };
  return /^([\\/]|[a-z]:)/i.test(path) ? undefined : { file: path };
}

function nameOf(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
