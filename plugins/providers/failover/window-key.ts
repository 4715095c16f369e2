/** Names of windows: `provider/model` and a credential, or a provider and a credential with all its models. */

export type WindowKeys = readonly [credential: string, model: string];

export interface WindowName {
  readonly provider: string;
  /** `provider/model`; absent: all models of the credential. */
  readonly model?: string;
  readonly credential: string;
}

/** No id of a credential holds it. */
const separator = "\n";

/** `id`: `provider/model`. */
export function windowKeys(provider: string, id: string, credential: string): WindowKeys {
  return [`${provider}${separator}${credential}`, `${id}${separator}${credential}`];
}

export function windowName(key: string): WindowName {
  const cut = key.lastIndexOf(separator);
  const head = key.slice(0, cut);
  const slash = head.indexOf("/");
  const credential = key.slice(cut + 1);
  return slash < 0 ? { provider: head, credential } : { provider: head.slice(0, slash), model: head, credential };
}

/** Whether the window is still somebody's. `keys`: of all providers. Accounts come and go by themselves, and theirs stay. */
export function isAlive(key: string, keys: ReadonlyMap<string, readonly { readonly id: string }[]>): boolean {
  const { provider, credential } = windowName(key);
  const known = keys.get(provider);
  return known !== undefined && (isAccount(credential) || known.some(({ id }) => id === credential));
}

function isAccount(credential: string): boolean {
  return !credential.startsWith("key:") && !credential.startsWith("none:");
}
