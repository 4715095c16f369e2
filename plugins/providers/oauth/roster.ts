/**
 * Which accounts a provider has: the files that its config lists, else every file of the folder that belongs to its vendor
 * and to no other provider. Read again when the config or the folder changed; one `Account` per file, whoever uses it.
 */
import { basename, resolve } from "node:path";
import { GatewayError } from "@chela/sdk";
import type { ProviderSection } from "../schema.ts";
import { Account } from "./account.ts";
import type { AccountFiles } from "./account-files.ts";
import { type Env, type OauthSettings, readOauth, usesAccounts } from "./settings.ts";

export type ProviderSections = Readonly<Record<string, ProviderSection>>;

/** A file that should be an account and is none. */
export interface FileProblem {
  readonly file: string;
  readonly reason: string;
  /** Whose account it would be, by the config or by its name. */
  readonly providers: readonly string[];
}

/** The folder is looked at again after this long. */
const lookAgainMs = 2000;

export class Roster {
  readonly files: AccountFiles;
  readonly #sections: () => ProviderSections;
  readonly #env: Env;
  readonly #now: () => number;
  readonly #accounts = new Map<string, Account>();
  readonly #settings = new WeakMap<ProviderSection, OauthSettings | GatewayError>();
  #lists = new Map<string, readonly Account[]>();
  #seen: ProviderSections | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(files: AccountFiles, sections: () => ProviderSections, env: Env, now: () => number) {
    this.files = files;
    this.#sections = sections;
    this.#env = env;
    this.#now = now;
  }

  /** Providers that use accounts. */
  providers(): readonly string[] {
    return Object.entries(this.#sections()).flatMap(([name, entry]) => (usesAccounts(entry) ? [name] : []));
  }

  section(provider: string): ProviderSection | undefined {
    const sections = this.#sections();
    return Object.hasOwn(sections, provider) ? sections[provider] : undefined;
  }

  /** As the config has it. Throws `OAUTH_CONFIG`. */
  settings(provider: string): OauthSettings {
    const stored = this.section(provider);
    let found = stored && this.#settings.get(stored);
    if (found === undefined) {
      found = attempt(() => readOauth({ provider, stored, env: this.#env }));
      if (stored) this.#settings.set(stored, found);
    }
    if (found instanceof GatewayError) throw found;
    return found;
  }

  /** Disabled ones included; those of a provider that cannot log in are nobody's. */
  of(provider: string): readonly Account[] {
    const sections = this.#sections();
    const now = this.#now();
    if (sections !== this.#seen || now < this.#lookedAt || now - this.#lookedAt >= lookAgainMs) this.look();
    let list = this.#lists.get(provider);
    if (!list) {
      list = this.#collect(provider);
      this.#lists.set(provider, list);
    }
    return list;
  }

  /** Everything is read again when it is next asked for. */
  look(): void {
    this.#lists = new Map();
    this.#seen = this.#sections();
    this.#lookedAt = this.#now();
  }

  /** The account in a file, made known. */
  adopt(path: string): Account | undefined {
    const file = this.files.read(path);
    if (!file || !("session" in file)) {
      this.#accounts.delete(path);
      return undefined;
    }
    const known = this.#accounts.get(path);
    if (!known || known.removed) {
      const account = new Account(path, file.stamp, file.session, this.files.owns(path));
      this.#accounts.set(path, account);
      return account;
    }
    // What is being renewed catches up by itself.
    if (known.stamp !== file.stamp && !known.renewing && !known.unsaved) {
      known.session = file.session;
      known.stamp = file.stamp;
    }
    return known;
  }

  forget(account: Account): void {
    account.removed = true;
    this.#accounts.delete(account.path);
    this.look();
  }

  /** Files in the folder, and files that a config lists, which are no accounts. */
  problems(): readonly FileProblem[] {
    const listed = this.providers().flatMap((provider) => this.#listed(provider));
    const problems: FileProblem[] = [];
    const tell = (file: string, reason: string) => problems.push({ file, reason, providers: this.#claimants(file) });
    for (const path of new Set([...this.files.list(), ...listed])) {
      const file = this.files.read(path);
      if (!file) tell(path, "is not there");
      else if ("problem" in file) tell(path, file.problem);
      else if (file.session.provider === "" && !listed.includes(path)) tell(path, "names no provider");
    }
    return problems;
  }

  /** Providers that cannot log in, and why. */
  troubles(): readonly { readonly provider: string; readonly reason: string }[] {
    return this.providers().flatMap((provider) => {
      const settings = attempt(() => this.settings(provider));
      return settings instanceof GatewayError ? [{ provider, reason: settings.message }] : [];
    });
  }

  #claimants(path: string): readonly string[] {
    return this.providers().filter((provider) => {
      const settings = attempt(() => this.settings(provider));
      if (settings instanceof GatewayError) return false;
      if (settings.files.length > 0) return this.#listed(provider).includes(path);
      return basename(path).startsWith(settings.vendor.name);
    });
  }

  #collect(provider: string): readonly Account[] {
    const settings = attempt(() => this.settings(provider));
    if (settings instanceof GatewayError) return [];
    const listed = this.#listed(provider);
    if (listed.length > 0) return listed.flatMap((path) => this.adopt(path) ?? []);
    const others = new Set(this.providers().flatMap((name) => (name === provider ? [] : this.#listed(name))));
    const own = this.files
      .list()
      .filter((path) => !others.has(path))
      .flatMap((path) => this.adopt(path) ?? []);
    return own.filter(({ session }) => {
      const maker = session.config_provider;
      const free = maker === "" || maker === provider || this.section(maker) === undefined;
      return free && session.provider === settings.vendor.name;
    });
  }

  #listed(provider: string): readonly string[] {
    const settings = attempt(() => this.settings(provider));
    return settings instanceof GatewayError ? [] : settings.files.map((name) => resolve(this.files.pathOf(name)));
  }
}

function attempt<T>(work: () => T): T | GatewayError {
  try {
    return work();
  } catch (error) {
    if (GatewayError.is(error)) return error;
    throw error;
  }
}
