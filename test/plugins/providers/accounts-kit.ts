/** Accounts that exist only in memory: what failover and the runtime view need of them, and no login. */
import type { GatewayError } from "@chela/sdk";
import type { Credential } from "../../../plugins/providers/credentials/credential.ts";
import type { AccountsView, RefreshResult } from "../../../plugins/providers/credentials/standings.ts";

export interface FakeAccount extends Credential {
  readonly target: string;
  /** The token it signs with now. */
  secret: string;
  /** Tokens that wait to be handed out by a refresh. */
  readonly fresh: string[];
  disabled: boolean;
  expiring: boolean;
  /** Throws instead of signing. */
  broken: GatewayError | undefined;
}

export function fakeAccount(target: string, secret: string, more: Partial<FakeAccount> = {}): FakeAccount {
  const account: FakeAccount = {
    id: `oauth:${target}`,
    kind: "oauth",
    target,
    secret,
    fresh: [],
    disabled: false,
    expiring: false,
    broken: undefined,
    async token() {
      if (account.broken) throw account.broken;
      return { token: account.secret };
    },
    refused(token) {
      const next = token === account.secret ? account.fresh.shift() : undefined;
      if (next !== undefined) account.secret = next;
      return next !== undefined || token !== account.secret;
    },
    ...more,
  };
  return account;
}

export interface FakeAccounts extends AccountsView {
  readonly list: FakeAccount[];
  readonly refreshes: { readonly provider: string; readonly onlyExpiring: boolean }[];
}

export function fakeAccounts(...list: FakeAccount[]): FakeAccounts {
  const refreshes: FakeAccounts["refreshes"] = [];
  return {
    list,
    refreshes,
    of: () => list.filter(({ disabled }) => !disabled),
    rows: () =>
      list.map(({ target, disabled }) => ({
        email: target,
        account_id: target,
        credential_file: `${target}.json`,
        disabled,
      })),
    async refresh(provider, { onlyExpiring }): Promise<RefreshResult> {
      refreshes.push({ provider, onlyExpiring });
      const accounts = list.map(({ target, expiring }) => {
        const status = onlyExpiring && !expiring ? ("skipped" as const) : ("refreshed" as const);
        return { target, status };
      });
      const refreshed = accounts.filter(({ status }) => status === "refreshed").length;
      return { provider, checked: list.length, refreshed, skipped: list.length - refreshed, failed: 0, accounts };
    },
  };
}
