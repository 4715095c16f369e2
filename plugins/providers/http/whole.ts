/** All pieces of a body in one. One that grows beyond `maxBytes` ends with what `tooLarge` makes. */
export async function whole(
  parts: AsyncIterable<Uint8Array>,
  maxBytes: number,
  tooLarge: (maxBytes: number) => Error,
): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  let size = 0;
  for await (const part of parts) {
    size += part.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    kept.push(part);
  }
  return Buffer.concat(kept);
}
