/** read_file: a window of the lines of a text; what is no text is described and not shown. */
import { cutText, GatewayError } from "@chela/sdk";
import { type Ctx, present } from "../world.ts";
import { contentOf } from "./content.ts";
import { belowRoot, missing } from "./place.ts";

export interface ReadInput {
  readonly path: string;
  readonly offset: number;
  readonly limit: number;
}

const maxChars = 100_000;
const maxLineChars = 2_000;

export async function readFileTool(ctx: Ctx, input: ReadInput): Promise<string> {
  const root = present(ctx, "workspace").folder();
  const path = belowRoot(root, input.path);
  const { max_read_bytes } = ctx.config.filesystem;
  const bytes = await ctx.use.files.read(root, path, max_read_bytes);
  if (!bytes) throw missing(input.path);
  const content = contentOf(bytes);
  if (content.kind === "image") {
    const { type, width, height } = content;
    return `${path} is an image: ${type}, ${width} x ${height} pixels, ${bytes.length} bytes. It cannot be shown as text.`;
  }
  if (content.kind === "binary") {
    const message = `${JSON.stringify(path)} is no text (${content.type}, ${bytes.length} bytes) and is not shown`;
    throw new GatewayError("FILE_BINARY", 400, message);
  }
  return windowOf(content.text, input, path);
}

/** Lines from `offset` (1-based), as many as fit; the rest is told, with the way to go on. */
function windowOf(text: string, { offset, limit }: ReadInput, path: string): string {
  if (text === "") return `${path} is empty.`;
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  if (offset > lines.length) {
    throw new GatewayError("FILE_RANGE", 400, `${JSON.stringify(path)} has ${lines.length} lines; offset is ${offset}`);
  }
  const shown: string[] = [];
  let chars = 0;
  for (const line of lines.slice(offset - 1, offset - 1 + limit)) {
    const kept = cutLine(line);
    chars += kept.length + 1;
    if (chars > maxChars && shown.length > 0) break;
    shown.push(kept);
  }
  const last = offset + shown.length - 1;
  const whole = offset === 1 && last === lines.length;
  const note = `\n[lines ${offset} to ${last} of ${lines.length}${last < lines.length ? `; go on with offset ${last + 1}` : ""}]`;
  return shown.join("\n") + (whole ? "" : note);
}

function cutLine(line: string): string {
  const plain = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (plain.length <= maxLineChars) return plain;
  return `${cutText(plain, maxLineChars)}… [${plain.length} characters]`;
}
