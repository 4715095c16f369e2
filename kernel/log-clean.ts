/**
 * What makes a value fit to be logged: known secrets, tokens in URLs and bearer headers are masked, control characters
 * are written out, everything is bounded in length, depth and count. Every text of every line passes through here, so
 * no caller can leak a secret or forge a line.
 */
const masked = "[redacted]";

const limits = {
  text: 8192,
  scan: 65_536,
  stack: 4096,
  depth: 6,
  entries: 64,
  nodes: 1000,
  chars: 32_768,
  secrets: 2000,
  secretLength: 4,
};
const secretName =
  /(?:authorization|cookie|password|passwd|passphrase|secret|token|(?:api|private|access)[_-]?key|credentials?)$/i;
const secretInUrl =
  /((?:[?&;]|%3f|%26)(?:access_|refresh_|id_)?(?:token|api_?key|key|password|secret|code)(?:=|%3d))[^&#\s"'<>]+/gi;
const userInfo = /(\/\/[^\s/:@?#]{0,256}:)[^\s/@?#]+@/g;
const bearer = /\b(bearer\s+)[^\s"',;]{6,}/gi;
/** Controls, halves of pairs, line ends and marks that turn the direction, in numbers: a class by name would load ICU's tables. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const unprintable = /[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const spelled: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** What one line may still cost. */
interface Budget {
  nodes: number;
  chars: number;
}

export class Cleaner {
  /** Every spelling of every secret, oldest first. */
  readonly #secrets = new Set<string>();
  #pattern: RegExp | undefined;
  #longest = 0;

  /** Adds secrets; they stay masked while this cleaner lives (the newest 2,000), since an old token is still a secret. */
  add(values: Iterable<string>): void {
    for (const value of values) {
      if (value.length < limits.secretLength) continue;
      for (const spelling of [value, JSON.stringify(value).slice(1, -1), encoded(value)]) {
        this.#secrets.delete(spelling);
        this.#secrets.add(spelling);
      }
    }
    for (const oldest of this.#secrets) {
      if (this.#secrets.size <= limits.secrets) break;
      this.#secrets.delete(oldest);
    }
    const longestFirst = [...this.#secrets].sort((a, b) => b.length - a.length);
    this.#longest = longestFirst[0]?.length ?? 0;
    this.#pattern = longestFirst.length > 0 ? new RegExp(longestFirst.map(literal).join("|"), "g") : undefined;
  }

  /** One text: masked, escaped, at most `max` characters and a note of how many there were. */
  text(raw: string, max = limits.text): string {
    const seen = raw.length > limits.scan ? raw.slice(0, limits.scan) : raw;
    let text = this.#pattern ? seen.replace(this.#pattern, masked) : seen;
    // The scan may have cut a secret in two: what could be its first half goes too.
    if (seen !== raw) text = text.slice(0, Math.max(0, text.length - this.#longest));
    text = text.replace(secretInUrl, `$1${masked}`).replace(userInfo, `$1${masked}@`).replace(bearer, `$1${masked}`);
    const spelled = text.slice(0, max).replace(unprintable, spell);
    if (seen === raw && text.length <= max && spelled.length <= max) return spelled;
    return `${spelled.slice(0, max)}… [${raw.length} characters]`;
  }

  /** The fields of one line, ready to be written. Never throws, whatever the object does. */
  fields(raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
    try {
      return this.#record(raw, 0, { nodes: limits.nodes, chars: limits.chars });
    } catch {
      return { fields: "[unreadable]" };
    }
  }

  #record(raw: object, depth: number, budget: Budget): Record<string, unknown> {
    const record: Record<string, unknown> = Object.create(null);
    let left = limits.entries;
    for (const key of Object.keys(raw)) {
      if (left-- === 0) {
        record["…"] = "more keys were cut";
        break;
      }
      const value = read(raw, key);
      const cleaned = secretName.test(key) && holdsText(value) ? mask(value) : this.#value(value, depth, budget);
      if (cleaned !== undefined) record[this.text(key, 128)] = cleaned;
    }
    return record;
  }

  #value(value: unknown, depth: number, budget: Budget): unknown {
    budget.nodes -= 1;
    if (budget.nodes < 0) return undefined;
    if (typeof value === "string") return this.#spend(value, limits.text, budget);
    if (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))) return String(value);
    if (typeof value === "symbol" || typeof value === "function") return undefined;
    if (typeof value !== "object" || value === null) return value;
    if (depth >= limits.depth) return "[too deep]";
    if (value instanceof Error) return this.#error(value, depth + 1, budget);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value))
      return value.slice(0, limits.entries).map((item) => this.#value(item, depth + 1, budget) ?? null);
    const plain = plainOf(value);
    return typeof plain === "object" && plain !== null
      ? this.#record(plain, depth + 1, budget)
      : this.#value(plain, depth + 1, budget);
  }

  #error(error: Error, depth: number, budget: Budget): Record<string, unknown> {
    const { name: _, ...own } = this.#record(error, depth, budget);
    const cause = error.cause === undefined ? undefined : this.#value(error.cause, depth, budget);
    return {
      type: this.#spend(error.name, 128, budget),
      message: this.#spend(error.message, limits.text, budget),
      ...own,
      stack: this.#spend(String(error.stack ?? ""), limits.stack, budget),
      ...(cause === undefined ? {} : { cause }),
    };
  }

  #spend(text: string, max: number, budget: Budget): string {
    const cleaned = this.text(text, Math.max(0, Math.min(max, budget.chars)));
    budget.chars -= cleaned.length;
    return cleaned;
  }
}

/** Numbers and switches tell nothing; a list or an object of that name may. */
function holdsText(value: unknown): boolean {
  return typeof value === "string" || (typeof value === "object" && value !== null);
}

function mask(value: unknown): string {
  return value === "" ? "" : masked;
}

function plainOf(value: object): unknown {
  const toJson = read(value, "toJSON");
  if (typeof toJson === "function") {
    try {
      return toJson.call(value);
    } catch {
      return "[unreadable]";
    }
  }
  if (value instanceof Map)
    return Object.fromEntries([...value].slice(0, limits.entries).map(([key, item]) => [String(key), item]));
  if (value instanceof Set) return [...value].slice(0, limits.entries);
  return value;
}

function read(owner: object, key: string): unknown {
  try {
    return (owner as Record<string, unknown>)[key];
  } catch {
    return "[unreadable]";
  }
}

function spell(character: string): string {
  return spelled[character] ?? `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, "0")}`;
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function encoded(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    return value;
  }
}
