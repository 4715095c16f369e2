/** write_file: a whole file at once, or something added at its end. */
import { mkdir } from "node:fs/promises";
import { GatewayError } from "@chela/sdk";
import { present } from "../world.ts";
import { contentOf } from "./content.ts";
import { belowRoot } from "./place.ts";
import type { FileParts } from "./tools.ts";

export interface WriteInput {
  readonly path: string;
  readonly content: string;
  readonly append: boolean;
}

export async function writeFileTool(
  { ctx, pacer }: FileParts,
  input: WriteInput,
  signal: AbortSignal,
): Promise<string> {
  const workspace = present(ctx, "workspace");
  const root = workspace.folder();
  const path = belowRoot(root, input.path);
  const { max_write_bytes: maxBytes } = ctx.config.filesystem;
  await mkdir(root, { recursive: true, mode: 0o700 });
  return workspace.alone(path, async () => {
    const before = input.append ? await ctx.use.files.read(root, path, maxBytes) : undefined;
    const content = before && (await contentOf(before, pacer.pace(signal)));
    if (content && (content.kind !== "text" || !content.utf8))
      throw new GatewayError(
        "FILE_BINARY",
        400,
        `${JSON.stringify(path)} is no UTF-8 text; nothing can be added to it`,
      );
    const added = Buffer.from(input.content, "utf8");
    const bytes = before ? Buffer.concat([before, added]) : added;
    if (bytes.length > maxBytes) throw tooLarge(path, bytes.length, maxBytes);
    signal.throwIfAborted();
    const { size } = await ctx.use.files.write(root, path, bytes);
    return before ? `Added ${added.length} bytes to ${path}; it has ${size} now.` : `Wrote ${size} bytes to ${path}.`;
  });
}

export function tooLarge(path: string, size: number, maxBytes: number): GatewayError {
  const message = `${JSON.stringify(path)} would have ${size} bytes; at most ${maxBytes} (tools.filesystem.max_write_bytes)`;
  return new GatewayError("FILE_TOO_LARGE", 413, message);
}
