/**
 * The accounts: those that logged in here, over those that the config names. A change is on disk before it is in force, and one
 * is made after the other. A WeChat user has one bot at a time, so a new login of theirs takes the place of the one before.
 */
import { GatewayError, KeyedLock } from "@chela/sdk";
import { sameSite } from "../ilink/hosts.ts";
import type { Settings } from "../settings.ts";
import { type AccountBook, type AccountFile, digestOf, emptyBook } from "./account-file.ts";

export interface Account {
  readonly botId: string;
  readonly token: string;
  readonly userId: string;
  readonly baseUrl: string;
  /** 0: it stands in the config. */
  readonly savedAt: number;
  readonly contextToken: string;
  readonly cursor: string;
}

export interface NewAccount {
  readonly botId: string;
  readonly token: string;
  readonly userId: string;
  readonly baseUrl: string;
}

const maxOldTokens = 10;
const maxRemoved = 200;

export class Accounts {
  readonly #file: AccountFile;
  readonly #settings: () => Settings;
  readonly #now: () => number;
  readonly #lock = new KeyedLock();
  #book: AccountBook = emptyBook;

  constructor(file: AccountFile, settings: () => Settings, now: () => number) {
    this.#file = file;
    this.#settings = settings;
    this.#now = now;
  }

  async load(): Promise<void> {
    this.#book = await this.#file.read();
  }

  get trouble(): string {
    return this.#file.trouble;
  }

  /** By bot id. */
  list(): readonly Account[] {
    return accountsOf(this.#book, this.#settings());
  }

  /** Empty when there is none, and when none of several is chosen. */
  defaultId(): string {
    const list = this.list();
    return chosenIn(list, this.#book, this.#settings()) ?? (list.length === 1 ? (list[0] as Account).botId : "");
  }

  /** What a server at `base` may be told, by which it knows the gateway: at most ten, the newest first. */
  tokensFor(base: string): readonly string[] {
    const newest = [...this.list()].sort((a, b) => b.savedAt - a.savedAt);
    const old = this.#book.old_tokens.map(({ bot_token, base_url }) => ({ token: bot_token, baseUrl: base_url }));
    const known = [...newest, ...old].filter(({ baseUrl }) => sameSite(baseUrl, base)).map(({ token }) => token);
    return [...new Set(known)].slice(0, maxOldTokens);
  }

  /** Stored when it resolves. The first one is the default. */
  add({ botId, token, userId, baseUrl }: NewAccount): Promise<void> {
    return this.#change((book, settings) => {
      const list = accountsOf(book, settings);
      const gone = list.filter((one) => one.botId === botId || (userId !== "" && one.userId === userId));
      const left = without(gone, book, settings);
      const chosen = chosenIn(list, book, settings);
      const isFree = chosen === undefined || gone.some((one) => one.botId === chosen);
      const stored = { bot_id: botId, bot_token: token, ilink_user_id: userId, base_url: baseUrl };
      return {
        ...left,
        default_bot_id: isFree ? botId : book.default_bot_id,
        accounts: [...left.accounts, { ...stored, saved_at: this.#now() }],
        old_tokens: left.old_tokens.filter(({ bot_token }) => bot_token !== token),
      };
    });
  }

  remove(botId: string): Promise<void> {
    return this.#change((book, settings) => {
      const list = accountsOf(book, settings);
      const account = known(list, botId);
      const left = without([account], book, settings);
      if (chosenIn(list, book, settings) !== botId) return left;
      return { ...left, default_bot_id: list.find((one) => one !== account)?.botId ?? "" };
    });
  }

  setDefault(botId: string): Promise<void> {
    return this.#change((book, settings) => {
      return { ...book, default_bot_id: known(accountsOf(book, settings), botId).botId };
    });
  }

  #change(make: (book: AccountBook, settings: Settings) => AccountBook): Promise<void> {
    return this.#lock.run("book", async () => {
      // Somebody may have mended it.
      if (this.trouble !== "") await this.load();
      const book = make(this.#book, this.#settings());
      await this.#file.write(book, this.#now());
      this.#book = book;
    });
  }
}

function accountsOf(book: AccountBook, { accounts: named, baseUrl }: Settings): readonly Account[] {
  const stored = book.accounts.map((one) => ({
    botId: one.bot_id,
    token: one.bot_token,
    userId: one.ilink_user_id,
    baseUrl: one.base_url,
    savedAt: one.saved_at,
    contextToken: "",
    cursor: "",
  }));
  const ids = new Set(stored.map(({ botId }) => botId));
  const others = named.filter(({ botId, token }) => !ids.has(botId) && !book.removed.includes(digestOf(botId, token)));
  const all = [...stored, ...others.map((one) => ({ ...one, baseUrl, savedAt: 0 }))];
  return all.sort((a, b) => (a.botId < b.botId ? -1 : 1));
}

/** The one that was made the default here, else the one that the config names. */
function chosenIn(list: readonly Account[], book: AccountBook, { defaultBotId }: Settings): string | undefined {
  return [book.default_bot_id, defaultBotId].find((id) => list.some(({ botId }) => botId === id));
}

/** The book without these accounts; what the config says of them counts no more. */
function without(gone: readonly Account[], book: AccountBook, { accounts: named }: Settings): AccountBook {
  const ids = new Set(gone.map(({ botId }) => botId));
  const tokens = gone.map(({ token, baseUrl }) => ({ bot_token: token, base_url: baseUrl }));
  const dropped = named.filter(({ botId }) => ids.has(botId)).map(({ botId, token }) => digestOf(botId, token));
  return {
    ...book,
    accounts: book.accounts.filter(({ bot_id }) => !ids.has(bot_id)),
    old_tokens: [...tokens, ...book.old_tokens].slice(0, maxOldTokens),
    removed: [...new Set([...dropped, ...book.removed])].slice(0, maxRemoved),
  };
}

function known(accounts: readonly Account[], botId: string): Account {
  const account = accounts.find((one) => one.botId === botId);
  if (account) return account;
  const message = botId === "" ? "bot_id is required" : `bot_id not found: ${botId}`;
  throw new GatewayError("WEIXIN_ACCOUNT_UNKNOWN", 400, message);
}
