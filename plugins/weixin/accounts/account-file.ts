/**
 * The file of the accounts: who logged in here, which of them is the default, and tokens of bindings that are over. Its owner's
 * alone, replaced as a whole. One that cannot be read is set aside before anything is written, and never written over.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Files, GatewayError, isObject, jsonOf, messageOf } from "@chela/sdk";

export interface StoredAccount {
  readonly bot_id: string;
  readonly bot_token: string;
  readonly ilink_user_id: string;
  /** Where its requests go. */
  readonly base_url: string;
  /** Milliseconds since 1970. */
  readonly saved_at: number;
}

/** The token of a binding that is over; the server knows the gateway by it. */
export interface OldToken {
  readonly bot_token: string;
  readonly base_url: string;
}

export interface AccountBook {
  /** Empty: none was chosen. */
  readonly default_bot_id: string;
  readonly accounts: readonly StoredAccount[];
  /** The newest first. */
  readonly old_tokens: readonly OldToken[];
  /** Accounts of the config that were removed here: digests, so that another token under the same name counts again. */
  readonly removed: readonly string[];
}

export const emptyBook: AccountBook = { default_bot_id: "", accounts: [], old_tokens: [], removed: [] };

const name = "accounts.json";
const version = 1;
const maxBytes = 4 * 1024 * 1024;

export class AccountFile {
  readonly path: string;
  readonly #dir: string;
  readonly #files: Files;
  /** What could not be read, to be set aside. */
  #broken: Buffer | undefined;
  #trouble = "";

  constructor(dir: string, files: Files) {
    this.#dir = dir;
    this.#files = files;
    this.path = join(dir, name);
  }

  /** Why what lies there is not in force; empty when it is. */
  get trouble(): string {
    return this.#trouble;
  }

  async read(): Promise<AccountBook> {
    this.#trouble = "";
    this.#broken = undefined;
    try {
      const bytes = await this.#files.read(this.#dir, name, maxBytes);
      if (!bytes) return emptyBook;
      const book = bookIn(bytes.toString("utf8"));
      if (book) return book;
      this.#broken = bytes;
      this.#trouble = `${this.path} is no list of accounts; it is set aside when the next one is written`;
    } catch (error) {
      this.#trouble = `${this.path} cannot be read: ${messageOf(error)}`;
    }
    return emptyBook;
  }

  /** Durable when it resolves. Throws `WEIXIN_UNWRITABLE`; then nothing has changed. */
  async write(book: AccountBook, now: number): Promise<void> {
    try {
      if (this.#trouble !== "" && !this.#broken) throw new Error("it could not be read before");
      if (this.#broken) {
        await this.#files.write(this.#dir, `accounts.broken-${now}.json`, this.#broken, { mode: 0o600 });
        this.#broken = undefined;
        this.#trouble = "";
      }
      await this.#files.write(this.#dir, name, JSON.stringify({ version, ...book }, null, 2), { mode: 0o600 });
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const full = code === "ENOSPC" || code === "EDQUOT";
      const message = `${this.path} cannot be written (${code ?? messageOf(cause)}); nothing was changed`;
      throw new GatewayError("WEIXIN_UNWRITABLE", full ? 507 : 500, message, undefined, { cause });
    }
  }
}

export function digestOf(botId: string, token: string): string {
  return createHash("sha256").update(`${botId}\n${token}`).digest("hex");
}

function bookIn(text: string): AccountBook | undefined {
  const value = jsonOf(text);
  if (!isObject(value) || value.version !== version) return undefined;
  const { default_bot_id, accounts, old_tokens, removed } = value;
  if (typeof default_bot_id !== "string" || !isList(removed, (one) => typeof one === "string")) return undefined;
  if (!isList(accounts, isAccount) || !isList(old_tokens, isOldToken)) return undefined;
  return { default_bot_id, accounts, old_tokens, removed } as AccountBook;
}

function isList(value: unknown, fits: (one: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(fits);
}

function isOldToken(value: unknown): boolean {
  return isObject(value) && typeof value.bot_token === "string" && URL.canParse(String(value.base_url));
}

function isAccount(value: unknown): boolean {
  if (!isObject(value) || !isOldToken(value)) return false;
  return [value.bot_id, value.ilink_user_id].every((one) => typeof one === "string") && Number.isFinite(value.saved_at);
}
