/**
 * Which scalars of a config are secret. A schema says so with `secret: true`, for a value or for everything below it; where
 * no schema declares a key (unknown keys, records) its name decides; an address with a password in it is secret anywhere.
 * What is `secret: "perhaps"` is not shown either, but is no reason to hide the same text elsewhere.
 */
import { isObject } from "@chela/sdk";
import type { DocumentNode } from "./document.ts";
import { isReference } from "./env.ts";
import { branches, childSchemas, isDeclared, itemSchemas, type Schema } from "./schema-walk.ts";
import { oncePer } from "./values.ts";

/** How the walk sees a value: data that can be changed in place, or places in a text. */
export interface Shape<T> {
  readonly members: (value: T) => readonly (readonly [key: string, member: T])[] | undefined;
  readonly items: (value: T) => readonly T[] | undefined;
  readonly scalar: (value: T) => unknown;
}

/** One scalar: where it is and what it is. */
export interface Leaf<T> {
  readonly at: T;
  readonly value: unknown;
  /** It must not be seen here. */
  readonly hidden: boolean;
  /** Nor anywhere else. */
  readonly secret: boolean;
}

/** A member of an object or array of plain data. */
export interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

/** Shorter secrets are not looked for in other places: they would be found everywhere. */
const minCopied = 12;
// Neither pattern may look at a stretch of text twice: values and comments can be megabytes long.
const passwordInUrl = /[a-z0-9+.-]:\/\/[^/@:\s]*:[^/@\s]+@/i;
const secretWord = /secret|passw(?:or)?d|passphrase|credential|authorization|api_?key|private_?key/;
const secretEnding = /(?:^|_)(?:keys?|cookies?|bearer|pwd|pin)$|tokens?$/;
const secretInComment =
  /(?:secret|passw(?:or)?d|passphrase|credential|authorization|api_?-?key|token|bearer)\S{0,80}\s{0,8}[:=]/i;

/** Secret whatever it is, secret where it is text, or not. */
type Hidden = "all" | "text" | "no";

interface Spot<T> {
  readonly value: T;
  readonly schemas: readonly Schema[];
  readonly hidden: Hidden;
  /** Nobody knows. */
  readonly perhaps: boolean;
}

/** Every scalar of a value. */
export function leavesOf<T>(shape: Shape<T>, value: T, schema: Schema): readonly Leaf<T>[] {
  const leaves: Leaf<T>[] = [];
  walk(shape, { value, schemas: [schema], hidden: "no", perhaps: false }, leaves);
  return leaves;
}

/** The secret texts among the leaves, to be looked for elsewhere too. */
export function secretsAmong(leaves: readonly Leaf<unknown>[]): ReadonlySet<string> {
  const texts = leaves.filter(({ secret }) => secret).map(({ value }) => String(value));
  return new Set(texts.filter((text) => text.length >= minCopied));
}

/** Looks at each place of the text once, however many secrets there are: there may be thousands of both. */
export function holdsAny(text: unknown, secrets: ReadonlySet<string>): boolean {
  if (typeof text !== "string" || text.length < minCopied || secrets.size === 0) return false;
  const lengths = lengthsByStart(secrets);
  for (let at = 0; at + minCopied <= text.length; at++) {
    const found = lengths.get(text.slice(at, at + minCopied));
    if (found) for (const length of found) if (secrets.has(text.slice(at, at + length))) return true;
  }
  return false;
}

/** How each secret begins, with how long those are that begin so. */
const lengthsByStart = oncePer((secrets: ReadonlySet<string>): ReadonlyMap<string, ReadonlySet<number>> => {
  const lengths = new Map<string, Set<number>>();
  for (const secret of secrets) {
    const start = secret.slice(0, minCopied);
    const known = lengths.get(start);
    if (known) known.add(secret.length);
    else lengths.set(start, new Set([secret.length]));
  }
  return lengths;
});

/** True for a comment that looks as if a secret stood in it. */
export function isTellingComment(comment: string): boolean {
  return secretInComment.test(comment) || passwordInUrl.test(comment);
}

export const placeShape: Shape<Place> = {
  members: ({ holder, key }) => {
    const inner = holder[key];
    return isObject(inner)
      ? Object.keys(inner).map((name) => [name, { holder: inner, key: name }] as const)
      : undefined;
  },
  items: ({ holder, key }) => {
    const inner = holder[key];
    if (!Array.isArray(inner)) return undefined;
    return inner.map((_, index) => ({ holder: inner as unknown as Place["holder"], key: String(index) }));
  },
  scalar: ({ holder, key }) => holder[key],
};

export const nodeShape: Shape<DocumentNode> = {
  members: (node) => (node.type === "object" ? (node.children ?? []).map(memberOf) : undefined),
  items: (node) => (node.type === "array" ? (node.children ?? []) : undefined),
  scalar: (node) => node.value,
};

function memberOf(property: DocumentNode): readonly [string, DocumentNode] {
  const [name, value] = property.children as [DocumentNode, DocumentNode];
  return [name.value as string, value];
}

function walk<T>(shape: Shape<T>, spot: Spot<T>, leaves: Leaf<T>[]): void {
  const { value: at, schemas } = spot;
  const said = branches(schemas);
  const hidden = said.some(({ secret }) => secret === true) ? "all" : spot.hidden;
  const perhaps = spot.perhaps || said.some(({ secret }) => secret === "perhaps");
  const members = shape.members(at);
  const items = shape.items(at);
  if (items) {
    const inner = itemSchemas(schemas);
    for (const item of items) walk(shape, { value: item, schemas: inner, hidden, perhaps }, leaves);
  } else if (members) {
    for (const [key, member] of members) {
      const inner = childSchemas(schemas, key);
      const trusted = isDeclared(schemas, key) || branches(inner).some((schema) => isObject(schema.properties));
      const below = stronger(hidden, trusted ? "no" : byName(key));
      walk(shape, { value: member, schemas: inner, hidden: below, perhaps }, leaves);
    }
  } else {
    const value = shape.scalar(at);
    const secret = isSecret(value, hidden);
    leaves.push({ at, value, secret, hidden: secret || (perhaps && isSecret(value, "all")) });
  }
}

/** Empty strings and references like `${NAME}` tell nothing. */
function isSecret(value: unknown, hidden: Hidden): boolean {
  if (typeof value === "number") return hidden === "all";
  if (typeof value !== "string" || value === "" || isReference(value)) return false;
  return hidden !== "no" || passwordInUrl.test(value);
}

/** `max_tokens: 4096` is a number under a suspicious name: an ending hides text only. */
function byName(key: string): Hidden {
  const snake = key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_");
  if (secretWord.test(snake)) return "all";
  return secretEnding.test(snake) ? "text" : "no";
}

function stronger(a: Hidden, b: Hidden): Hidden {
  if (a === "all" || b === "all") return "all";
  return a === "text" || b === "text" ? "text" : "no";
}
