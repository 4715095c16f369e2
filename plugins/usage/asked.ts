/** What a question about usage means, and its answer. Loaded with the first one. */
import { GatewayError, type UsageQuery, type UsageTotals } from "@chela/sdk";
import type { Book } from "./book.ts";
import { kinds, type SplitKind, splitKinds } from "./kinds.ts";

const units = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const defaultSince = "7d";
/** Names that a row is shared among. */
const mostParts = 12;

interface Asked {
  readonly since?: string;
  readonly until?: string;
  readonly by?: string;
  readonly split?: string;
  readonly model?: string;
  readonly key?: string;
  readonly identity?: string;
  readonly session?: string;
  readonly limit?: number;
}

type Labels = (identity: string) => string | undefined;

interface Named {
  readonly name: string;
  readonly label?: string;
}

export async function ask(book: Pick<Book, "totals" | "split">, asked: Asked, labelOf: Labels = () => undefined) {
  const now = Date.now();
  const by = kindOf("by", asked.by ?? "day", kinds);
  const split = asked.split === undefined ? undefined : kindOf("split", asked.split, splitKinds);
  const range = {
    since: moment(asked.since ?? defaultSince, now),
    until: asked.until ? moment(asked.until, now) : now + 1,
  };
  const { model, session, limit } = asked;
  const identity = asked.identity ?? (asked.key === undefined ? undefined : identityOf(asked.key));
  const query: UsageQuery = { ...range, by, model, session, identity, limit };
  // All rows of one name: what a limit cut off is in the total.
  const total = merged(await book.totals({ ...query, by: "purpose", limit: 1_000 }));
  const named = labelled(by, labelOf);
  if (split === undefined) return { by, ...range, total, rows: (await book.totals(query)).map(named) };
  return { by, split, ...range, total, ...(await shares(book, query, split, labelOf)) };
}

async function shares(book: Pick<Book, "split">, query: UsageQuery, split: SplitKind, labelOf: Labels) {
  const { names, rows } = await book.split(query, split, mostParts);
  const [named, part] = [labelled(query.by, labelOf), labelled(split, labelOf)];
  return {
    splits: names.map((name) => part({ name })),
    rows: rows.map((row) => ({ ...named(row), parts: row.parts.map(part) })),
  };
}

/** Beside the id of a key what people call it. */
function labelled(by: UsageQuery["by"], labelOf: Labels) {
  return <T extends Named>(row: T): T => {
    const label = by === "identity" ? labelOf(row.name) : undefined;
    return label === undefined ? row : { ...row, label };
  };
}

type Answer = Awaited<ReturnType<typeof ask>>;

/** As ClawGo spells it. */
export function spelledAnswer({ total, rows, ...asked }: Answer) {
  return { ok: true, ...asked, total: spelled(total), rows: rows.map(spelledRow) };
}

function spelledRow(row: Answer["rows"][number]): unknown {
  const { name, label }: Named = row;
  const own = { name, ...(label !== undefined && { label }), ...spelled(row) };
  if (!("parts" in row)) return own;
  return { ...own, parts: row.parts.map(spelledRow), rest: row.rest && spelled(row.rest) };
}

function merged(rows: readonly UsageTotals[]): UsageTotals {
  const sum = (name: Exclude<keyof UsageTotals, "cost">) => rows.reduce((all, row) => all + row[name], 0);
  const priced = rows.filter((row) => row.cost !== null);
  return {
    calls: sum("calls"),
    failed: sum("failed"),
    inputTokens: sum("inputTokens"),
    outputTokens: sum("outputTokens"),
    cachedTokens: sum("cachedTokens"),
    cost: priced.length === 0 ? null : priced.reduce((all, row) => all + (row.cost ?? 0), 0),
    unpriced: sum("unpriced"),
  };
}

function spelled({ calls, failed, inputTokens, outputTokens, cachedTokens, cost, unpriced }: UsageTotals) {
  const tokens = { input_tokens: inputTokens, output_tokens: outputTokens, cached_tokens: cachedTokens };
  return { calls, failed, ...tokens, cost, unpriced };
}

function kindOf<T extends UsageQuery["by"]>(what: string, text: string, choices: readonly T[]): T {
  const wanted = text.trim().toLowerCase();
  const known = choices.find((kind) => kind === (wanted === "key" ? "identity" : wanted));
  if (known) return known;
  const message = `${what} must be one of ${choices.join(", ")} or key, not ${JSON.stringify(text.slice(0, 40))}`;
  throw new GatewayError("INVALID", 400, message);
}

/** Keys are named by their ids: `k_…`. */
function identityOf(key: string): string {
  return key.startsWith("k_") ? `key:${key}` : key;
}

/** `7d` before `now`, `2026-11-21`, or milliseconds since 1970. */
function moment(text: string, now: number): number {
  const ago = /^(\d{1,6})([mhdw])(?: ago)?$/.exec(text.trim());
  if (ago) return Math.max(0, now - Number(ago[1]) * units[ago[2] as keyof typeof units]);
  const at = /^\d+$/.test(text) ? Number(text) : /^\d{4}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at) && at >= 0 && at <= 8.64e15) return at;
  throw new GatewayError(
    "INVALID",
    400,
    `${JSON.stringify(text.slice(0, 40))} is no time: use 7d, 12h, 30m, a date or milliseconds`,
  );
}
