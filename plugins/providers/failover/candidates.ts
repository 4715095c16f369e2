/**
 * Who may answer a request: each model that was named with each credential of its provider, in order. For providers with keys
 * alone the list is made once per model; accounts come and go. A provider's strategy may put the list of a model in another order.
 */
import type { Credential } from "../credentials/credential.ts";
import { keyCredentials, loggedOut } from "../credentials/keys.ts";
import type { AccountsView } from "../credentials/standings.ts";
import { offline } from "../offline/model.ts";
import type { Ledger } from "../runtime/ledger.ts";
import { healthiest } from "../runtime/rows.ts";
import type { Upstream } from "../send.ts";
import type { ProviderSpec } from "../settings.ts";
import type { Cooldowns } from "./cooldowns.ts";
import type { Candidate } from "./failover.ts";
import { type Lease, Spread } from "./spread.ts";
import { isAlive, windowKeys } from "./window-key.ts";

export interface ModelCandidate extends Candidate {
  /** Absent: the offline model. */
  readonly upstream: Upstream | undefined;
}

const noCredential: Credential = { id: "none", kind: "none", target: "", token: async () => ({ token: undefined }) };
const offlineCandidate: ModelCandidate = {
  ...offline,
  credential: noCredential,
  keys: windowKeys(offline.provider, offline.id, "none"),
  timeoutMs: 600_000,
  upstream: undefined,
};

/** Lists kept of models that are asked; an open provider takes any name. */
const maxKept = 1000;

export class Candidates {
  readonly #ledger: Pick<Ledger, "health">;
  readonly #accounts: () => AccountsView | undefined;
  readonly #spread: Spread;
  #specs = new Map<string, ProviderSpec>();
  #keys = new Map<string, readonly Credential[]>();
  readonly #kept = new Map<string, readonly ModelCandidate[]>();

  constructor(
    { ledger, cooldowns }: { readonly ledger: Pick<Ledger, "health">; readonly cooldowns: Cooldowns },
    accounts: () => AccountsView | undefined,
  ) {
    this.#ledger = ledger;
    this.#accounts = accounts;
    this.#spread = new Spread(cooldowns, ledger);
  }

  replace(specs: readonly ProviderSpec[]): void {
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
    this.#keys = new Map(specs.map((spec) => [spec.name, keyCredentials(spec)]));
    this.#kept.clear();
    this.#spread.retain((key) => isAlive(key, this.#keys));
  }

  specs(): readonly ProviderSpec[] {
    return [...this.#specs.values()];
  }

  spec(name: string): ProviderSpec | undefined {
    return this.#specs.get(name);
  }

  /** All credentials of a provider: keys as configured, then accounts, the healthier first. */
  credentials(provider: string): readonly Credential[] {
    const spec = this.#specs.get(provider);
    const keys = this.#keys.get(provider) ?? [];
    if (!spec || (spec.mode !== "oauth" && spec.mode !== "hybrid")) return keys;
    const accounts = this.#accounts()?.of(provider) ?? [];
    const all = [...keys, ...healthiest(accounts, (id) => this.#ledger.health(provider, id))];
    return all.length > 0 ? all : [loggedOut(spec)];
  }

  /** Undefined: there is no such model. */
  upstream(id: string): Upstream | undefined {
    const slash = id.indexOf("/");
    const spec = this.#specs.get(id.slice(0, slash));
    const model = id.slice(slash + 1);
    if (!spec || model === "" || model === "*") return undefined;
    if (!spec.open && !spec.models.includes(model)) return undefined;
    return { id, provider: spec.name, model, secrets: spec.secrets, spec };
  }

  /** Undefined: there is no model `id`. Fallbacks that nobody serves are passed over. `session`: whose request it is. */
  of(id: string, fallbacks: readonly string[] = [], session?: string): readonly ModelCandidate[] | undefined {
    const list = this.#model(id);
    if (list.length === 0) return undefined;
    const first = this.#arranged(list, session, true);
    if (fallbacks.length === 0) return first;
    const others = [...new Set(fallbacks)].filter((other) => other !== id);
    const seen = new Set([first[0]?.provider]);
    const arrange = (other: string) => {
      const made = this.#model(other);
      const provider = made[0]?.provider;
      // One choice for a provider and request: another of its models is no further use of it.
      const counts = !seen.has(provider);
      seen.add(provider);
      return this.#arranged(made, session, counts);
    };
    return [...first, ...others.flatMap(arrange)];
  }

  /** The first of them works for a request, where its provider's strategy wants to know. */
  lease([first]: readonly ModelCandidate[]): Lease | undefined {
    return first?.upstream?.spec.strategy === "least_used" ? this.#spread.lease(first) : undefined;
  }

  /** For requests that name no model. */
  listing(spec: ProviderSpec): readonly ModelCandidate[] {
    const upstream = { id: spec.name, provider: spec.name, model: "", secrets: spec.secrets, spec };
    return this.credentials(spec.name).map((credential) => candidate(upstream, credential));
  }

  #arranged(list: readonly ModelCandidate[], session: string | undefined, counts: boolean): readonly ModelCandidate[] {
    const strategy = list[0]?.upstream?.spec.strategy ?? "order";
    return strategy === "order" ? list : this.#spread.arrange(list, { strategy, session, counts });
  }

  #model(id: string): readonly ModelCandidate[] {
    const kept = this.#kept.get(id);
    if (kept) return kept;
    if (id === offline.id) return [offlineCandidate];
    const upstream = this.upstream(id);
    if (!upstream) return [];
    const made = this.credentials(upstream.provider).map((credential) => candidate(upstream, credential));
    const { mode } = upstream.spec;
    if (mode === "key" || mode === "none") {
      if (this.#kept.size >= maxKept) this.#kept.clear();
      this.#kept.set(id, made);
    }
    return made;
  }
}

function candidate(upstream: Upstream, credential: Credential): ModelCandidate {
  const { id, provider, model, spec } = upstream;
  const base = credential.kind === "oauth" ? (spec.oauth?.cooldown_sec ?? 0) * 1000 : 0;
  return {
    ...{ id, provider, model },
    secrets: spec.secrets,
    credential,
    keys: windowKeys(provider, id, credential.id),
    timeoutMs: spec.timeoutMs,
    ...(base > 0 ? { restMs: base } : {}),
    upstream,
  };
}
