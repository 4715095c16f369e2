/** What a list of sessions may show beside its rows: how each begins, what was said last, and what goes on there. */
import { cutText, type Store } from "@chela/sdk";
import { textOf } from "./search/pieces.ts";

export interface SessionDetails {
  readonly epoch: string;
  /** What the user said first, where that can be told quickly. */
  readonly first?: string;
  /** What the user or the model said last. */
  readonly preview?: string;
  readonly running: boolean;
  /** Who answers there, where that was settled. */
  readonly agent?: string;
}

interface Others {
  readonly running: ReadonlySet<string>;
  readonly agents: ((keys: readonly string[]) => Promise<ReadonlyMap<string, string>>) | undefined;
}

interface DetailRow {
  readonly key: string;
  readonly epoch: string;
  readonly first: string | null;
  readonly last: string | null;
}

const firstChars = 80;
const previewChars = 160;
/** Of a message; what is shown of it is much shorter. */
const readChars = 1_000;
/** So many of the first and of the newest messages are looked at. */
const beginning = 10;
const ending = 100;
/** What one statement reads; other work has its turn in between. */
const keysAtOnce = 200;

const log = "COALESCE(s.log, s.key)";
const detailsSql = `SELECT s.key, s.epoch,
  (SELECT substr(m.content, 1, ${readChars}) FROM chat_messages m
    WHERE m.session = ${log} AND m.seq <= ${beginning} AND m.role = 'user' ORDER BY m.seq LIMIT 1) AS first,
  (SELECT substr(m.content, 1, ${readChars}) FROM chat_messages m WHERE m.session = ${log}
    AND m.seq > (SELECT MAX(n.seq) FROM chat_messages n WHERE n.session = ${log}) - ${ending}
    AND m.role IN ('user', 'assistant') AND m.content <> '""' ORDER BY m.seq DESC LIMIT 1) AS last
  FROM chat_sessions s WHERE s.key IN`;

/** A session that is gone meanwhile has none. */
export async function sessionDetails(
  store: Store,
  keys: readonly string[],
  { running, agents = async () => new Map() }: Others,
): Promise<ReadonlyMap<string, SessionDetails>> {
  const found = new Map<string, SessionDetails>();
  for (let from = 0; from < keys.length; from += keysAtOnce) {
    const part = keys.slice(from, from + keysAtOnce);
    const rows = await store.all<DetailRow>(`${detailsSql} (${part.map(() => "?").join(", ")})`, ...part);
    const answering = await agents(part);
    for (const { key, epoch, first, last } of rows) {
      const agent = answering.get(key);
      found.set(key, {
        epoch,
        ...text("first", first, firstChars),
        ...text("preview", last, previewChars),
        running: running.has(key),
        ...(agent !== undefined && { agent }),
      });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return found;
}

/** On one line, the mark of what is left out included in `chars`; nothing where nothing is said. */
function text(name: "first" | "preview", content: string | null, chars: number): Partial<SessionDetails> {
  if (content === null) return {};
  const line = textOf({ seq: 0, role: "user", content })
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim();
  return line === "" ? {} : { [name]: line.length <= chars ? line : cutText(line, chars - 1, "…") };
}
