/** read_file: a window of the lines of a text, of the workspace or uploaded; what is no text is described and not shown. */
import { isAbsolute } from "node:path";
import { cutText, GatewayError, type Pace } from "@chela/sdk";
import { type Ctx, present } from "../world.ts";
import { contentOf } from "./content.ts";
import { belowRoot, missing } from "./place.ts";
import type { FileParts } from "./tools.ts";

export interface ReadInput {
  readonly path: string;
  readonly offset: number;
  readonly limit: number;
}

const maxChars = 100_000;
const maxLineChars = 2_000;
const stepLines = 4_096;

export async function readFileTool({ ctx, pacer }: FileParts, input: ReadInput, signal: AbortSignal): Promise<string> {
  const { path, bytes } = (await uploaded(ctx, input.path)) ?? (await inWorkspace(ctx, input.path));
  const pace = pacer.pace(signal);
  const content = await contentOf(bytes, pace);
  if (content.kind === "image") {
    const { type, width, height } = content;
    return `${path} is an image: ${type}, ${width} x ${height} pixels, ${bytes.length} bytes. It cannot be shown as text.`;
  }
  if (content.kind === "binary") {
    const message = `${JSON.stringify(path)} is no text (${content.type}, ${bytes.length} bytes) and is not shown`;
    throw new GatewayError("FILE_BINARY", 400, message);
  }
  return windowOf(content.text, input, { path, pace });
}

interface Found {
  readonly path: string;
  readonly bytes: Buffer;
}

/** By the path that a message names it with: whoever knows that one was given it. */
async function uploaded(ctx: Ctx, path: string): Promise<Found | undefined> {
  if (!isAbsolute(path.trim())) return undefined;
  const file = await present(ctx, "workspace").attachment(path);
  const bytes = file?.isUpload ? await file.read(ctx.config.filesystem.max_read_bytes) : undefined;
  return file && bytes && { path: file.name, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

async function inWorkspace(ctx: Ctx, wanted: string): Promise<Found> {
  const root = present(ctx, "workspace").folder();
  const path = belowRoot(root, wanted);
  const bytes = await ctx.use.files.read(root, path, ctx.config.filesystem.max_read_bytes);
  if (!bytes) throw missing(wanted);
  return { path, bytes };
}

/** Lines from `offset` (1-based), as many as fit; the rest is told, with the way to go on. */
async function windowOf(
  text: string,
  { offset, limit }: ReadInput,
  { path, pace }: { readonly path: string; readonly pace: Pace },
): Promise<string> {
  if (text === "") return `${path} is empty.`;
  const shown: string[] = [];
  let chars = 0;
  let lines = 0;
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    if (lines % stepLines === 0 && pace.due()) await pace.rest();
    end = endOfLine(text, at);
    lines += 1;
    if (lines < offset || shown.length >= limit || chars > maxChars) continue;
    const kept = cutLine(text.slice(at, end));
    chars += kept.length + 1;
    if (chars <= maxChars || shown.length === 0) shown.push(kept);
  }
  if (offset > lines) {
    throw new GatewayError("FILE_RANGE", 400, `${JSON.stringify(path)} has ${lines} lines; offset is ${offset}`);
  }
  const last = offset + shown.length - 1;
  const whole = offset === 1 && last === lines;
  const note = `\n[lines ${offset} to ${last} of ${lines}${last < lines ? `; go on with offset ${last + 1}` : ""}]`;
  return shown.join("\n") + (whole ? "" : note);
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function cutLine(line: string): string {
  const plain = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (plain.length <= maxLineChars) return plain;
  return `${cutText(plain, maxLineChars)}… [${plain.length} characters]`;
}
