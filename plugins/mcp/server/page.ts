/** Lists in pages, by key: what comes and goes between two pages neither repeats an item nor hides one that stays. */

const pageSize = 1000;

export interface Page<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

/** Undefined for a cursor that is none of ours. Keys are unique. */
export function pageOf<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  cursor: string | undefined,
): Page<T> | undefined {
  const after = cursor === undefined ? "" : keyIn(cursor);
  if (after === undefined) return undefined;
  const rest = all
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const page = rest.slice(0, pageSize);
  const items = page.map(({ item }) => item);
  const last = page.at(-1);
  return last && rest.length > pageSize ? { items, nextCursor: cursorOf(last.key) } : { items };
}

function cursorOf(key: string): string {
  return Buffer.from(key).toString("base64url");
}

function keyIn(cursor: string): string | undefined {
  const key = Buffer.from(cursor, "base64url").toString();
  return cursor !== "" && cursorOf(key) === cursor ? key : undefined;
}
