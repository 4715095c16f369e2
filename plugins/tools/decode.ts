/** Bytes as text, in small steps: a decoder takes its time. */
import type { Pace } from "@chela/sdk";

const stepBytes = 65_536;

interface Decoder {
  decode(bytes?: Uint8Array, options?: { stream: boolean }): string;
}

export async function decodedBy(decoder: Decoder, bytes: Buffer, pace: Pace): Promise<string> {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; at += stepBytes) {
    if (pace.due()) await pace.rest();
    texts.push(decoder.decode(bytes.subarray(at, at + stepBytes), { stream: true }));
  }
  return texts.join("") + decoder.decode();
}
