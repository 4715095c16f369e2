/** An account as the API shows it: ClawGo's object, without anything that could be used to sign a request. */
import type { Account } from "./account.ts";
import { balanceOf } from "./claims.ts";
import { maskProxy } from "./proxy-url.ts";
import { labelOf } from "./session.ts";

export function rowOf(account: Account, now: number): Record<string, unknown> {
  const { session, path } = account;
  const optional = {
    expire: date(session.expire),
    last_refresh: date(session.last_refresh),
    project_id: session.project_id,
    account_label: labelOf(session),
    device_id: session.device_id,
    resource_url: session.resource_url,
    network_proxy: maskProxy(session.network_proxy),
    disabled: session.disabled,
    disable_reason: session.disable_reason,
    models: session.models.length > 0 ? session.models : undefined,
    ...balanceOf(session.provider, session.id_token, session.project_id, now),
  };
  const told = Object.entries(optional).filter(([, value]) => value !== "" && value !== false && value !== undefined);
  return { email: session.email, account_id: session.account_id, credential_file: path, ...Object.fromEntries(told) };
}

function date(ms: number): string {
  return ms > 0 ? new Date(ms).toISOString() : "";
}
