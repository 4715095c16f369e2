/** Where a position of a JSON text is: in which object, at which key or value. Reads texts that are not finished yet, and comments. */

export interface JsonPlace {
  readonly kind: "key" | "value";
  /** Of the object or list around it. */
  readonly container: readonly string[];
  /** The key that the value belongs to; undefined for a key. */
  readonly key: string | undefined;
  /** The token at the position; empty between tokens. */
  readonly from: number;
  readonly to: number;
  /** Its text up to the position, without the quote. */
  readonly typed: string;
  /** The object's keys, but for the one at the position. */
  readonly siblings: ReadonlySet<string>;
  /** What comes after the token, but for comments; empty at the end. */
  readonly next: string;
}

interface Token {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

interface Frame {
  readonly path: readonly string[];
  readonly isList: boolean;
  readonly keys: Set<string>;
  key: string;
  index: number;
  afterColon: boolean;
}

const tokenShape =
  /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|"(?:[^"\\\n]|\\.)*"|"[^\s{}[\]:,"\\]*|[{}[\]:,]|[^\s{}[\]:,"/]+|\//g;

/** Undefined outside of the outermost object and in a comment. */
export function placeAt(text: string, at: number): JsonPlace | undefined {
  const all = tokensOf(text);
  if (all.some(({ text: token, from, to }) => isComment(token) && from < at && at <= to)) return undefined;
  const tokens = all.filter(({ text: token }) => !isComment(token));
  const stack: Frame[] = [];
  let index = 0;
  for (; index < tokens.length; index++) {
    const token = tokens[index] as Token;
    if (token.to > at || (token.to === at && isWord(token))) break;
    step(stack, token);
  }
  const frame = stack.at(-1);
  if (frame === undefined) return undefined;
  const here = tokens[index];
  const word = here !== undefined && isWord(here) && here.from <= at ? here : undefined;
  const rest = tokens.slice(word ? index + 1 : index);
  return placeOf(frame, { word, at, rest, after: keysAfter(rest) });
}

interface Here {
  readonly word: Token | undefined;
  readonly at: number;
  readonly rest: readonly Token[];
  readonly after: ReadonlySet<string>;
}

function placeOf(frame: Frame, { word, at, rest, after }: Here): JsonPlace {
  const isKey = !frame.isList && !frame.afterColon;
  const [from, to] = word ? [word.from, word.to] : [at, at];
  return {
    kind: isKey ? "key" : "value",
    container: frame.path,
    key: isKey ? undefined : keyOf(frame),
    from,
    to,
    typed: (word?.text ?? "").slice(0, at - from).replace(/^"/, ""),
    siblings: new Set([...frame.keys, ...after]),
    next: rest[0]?.text ?? "",
  };
}

function tokensOf(text: string): Token[] {
  return [...text.matchAll(tokenShape)].map(({ 0: token, index }) => ({
    text: token,
    from: index,
    to: index + token.length,
  }));
}

function step(stack: Frame[], { text }: Token): void {
  const frame = stack.at(-1);
  if (text === "{" || text === "[") {
    const path = frame ? [...frame.path, keyOf(frame)] : [];
    stack.push({ path, isList: text === "[", keys: new Set(), key: "", index: 0, afterColon: false });
  } else if (text === "}" || text === "]") stack.pop();
  else if (frame === undefined) return;
  else if (text === ":") frame.afterColon = true;
  else if (text === ",") {
    frame.afterColon = false;
    frame.index += 1;
  } else if (!frame.isList && !frame.afterColon) {
    frame.key = unquoted(text);
    frame.keys.add(frame.key);
  }
}

/** Keys of the same object behind the position. */
function keysAfter(tokens: readonly Token[]): ReadonlySet<string> {
  const keys = new Set<string>();
  let depth = 0;
  for (const [index, { text }] of tokens.entries()) {
    if (text === "{" || text === "[") depth += 1;
    if (text === "}" || text === "]") depth -= 1;
    if (depth < 0) break;
    if (depth === 0 && tokens[index + 1]?.text === ":") keys.add(unquoted(text));
  }
  return keys;
}

function keyOf(frame: Frame): string {
  return frame.isList ? String(frame.index) : frame.key;
}

function isWord({ text }: Token): boolean {
  return !/^[{}[\]:,]$/.test(text);
}

function isComment(text: string): boolean {
  return text.startsWith("//") || text.startsWith("/*");
}

function unquoted(text: string): string {
  try {
    return text.startsWith('"')
      ? (JSON.parse(text.length > 1 && text.endsWith('"') ? text : `${text}"`) as string)
      : text;
  } catch {
    return text.replace(/^"|"$/g, "");
  }
}
