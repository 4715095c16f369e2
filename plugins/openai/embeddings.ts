/**
 * Embeddings. The upstream is asked as the client asked; what it did not honour is made good: an upstream that knows no
 * base64 or no `dimensions` answers numbers and whole vectors.
 */
import { GatewayError, isObject, jsonOf, Reply } from "@chela/sdk";
import { invalid } from "./errors.ts";

interface Wanted {
  readonly base64: boolean;
  /** Undefined: whatever the model makes. */
  readonly dimensions: number | undefined;
}

/** Throws 400 for what no upstream could serve. */
export function wanted(body: Readonly<Record<string, unknown>>): Wanted {
  const { input, encoding_format: format, dimensions } = body;
  if (!(typeof input === "string" ? input !== "" : Array.isArray(input) && input.length > 0))
    throw invalid("input must be a text or a list that is not empty", "input");
  if ((format ?? "float") !== "float" && format !== "base64")
    throw invalid("encoding_format must be float or base64", "encoding_format");
  if ((dimensions ?? null) !== null && !(Number.isInteger(dimensions) && Number(dimensions) > 0))
    throw invalid("dimensions must be a whole number > 0", "dimensions");
  return { base64: format === "base64", dimensions: typeof dimensions === "number" ? dimensions : undefined };
}

/** The reply as it was asked for; anything but a list of embeddings passes as it is. */
export async function shaped(reply: Reply, want: Wanted): Promise<Reply> {
  const { body, status, headers } = reply;
  if (status !== 200 || !(body instanceof Uint8Array)) return reply;
  const parsed = jsonOf(Buffer.from(body).toString("utf8"));
  if (!isObject(parsed) || !Array.isArray(parsed.data)) return reply;
  const rows: readonly unknown[] = parsed.data;
  if (rows.every((row) => fits(row, want))) return reply;
  const data = rows.map((row) => (isObject(row) ? { ...row, embedding: asWanted(row.embedding, want) } : row));
  const { "content-length": _, ...kept } = headers;
  return Reply.json({ ...parsed, data }, { status, headers: kept });
}

function fits(row: unknown, { base64, dimensions }: Wanted): boolean {
  if (!isObject(row) || base64 !== (typeof row.embedding === "string")) return false;
  return dimensions === undefined || sizeOf(row.embedding) <= dimensions;
}

function asWanted(embedding: unknown, { base64, dimensions }: Wanted): unknown {
  const vector = typeof embedding === "string" ? decode(embedding) : numbers(embedding);
  const cut = dimensions !== undefined && vector.length > dimensions ? unit(vector.slice(0, dimensions)) : vector;
  return base64 ? Buffer.from(Float32Array.from(cut).buffer).toString("base64") : [...cut];
}

/** A vector that was shortened has length 1 again, as those of models that shorten by themselves. */
function unit(vector: readonly number[]): readonly number[] {
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}

function sizeOf(embedding: unknown): number {
  if (typeof embedding === "string") return Math.floor(Buffer.byteLength(embedding, "base64") / 4);
  return Array.isArray(embedding) ? embedding.length : 0;
}

function decode(text: string): readonly number[] {
  const bytes = Buffer.from(text, "base64");
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4));
}

function numbers(value: unknown): readonly number[] {
  if (Array.isArray(value) && value.every((one) => typeof one === "number")) return value;
  throw new GatewayError("UPSTREAM_PROTOCOL", 502, "the upstream answered an embedding that is no list of numbers");
}
