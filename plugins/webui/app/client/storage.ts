/** What this browser remembers between visits, for each gateway by itself. A browser that forbids storage simply forgets. */

/** How the page looks, whoever sits before it. */
const looks: readonly string[] = ["locale", "theme"];

/** Gateways below different paths of a proxy share an origin. */
function prefix(): string {
  return `chela:${new URL(".", document.baseURI).pathname}:`;
}

export function remembered(name: string): string | undefined {
  try {
    return localStorage.getItem(prefix() + name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** undefined forgets. */
export function remember(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(prefix() + name);
    else localStorage.setItem(prefix() + name, value);
  } catch {
    // Forbidden or full: the page works without.
  }
}

/** The same for this tab only: it is forgotten with the tab, and outlives a reload. */
export function rememberedHere(name: string): string | undefined {
  try {
    return sessionStorage.getItem(prefix() + name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** undefined forgets. */
export function rememberHere(name: string, value: string | undefined): void {
  try {
    if (value === undefined) sessionStorage.removeItem(prefix() + name);
    else sessionStorage.setItem(prefix() + name, value);
  } catch {
    // Forbidden or full: the page works without.
  }
}

/** What this tab remembers under names that begin like this. */
export function namesHere(start: string): string[] {
  try {
    return names(sessionStorage).filter((name) => name.startsWith(start));
  } catch {
    return [];
  }
}

/** Forgets what was typed and looked at by whoever sat here. */
export function forgetPerson(): void {
  try {
    for (const storage of [sessionStorage, localStorage])
      for (const name of names(storage)) if (!looks.includes(name)) storage.removeItem(prefix() + name);
  } catch {
    // Forbidden: then nothing was remembered.
  }
}

function names(storage: Storage): string[] {
  const start = prefix();
  return Object.keys(storage)
    .filter((key) => key.startsWith(start))
    .map((key) => key.slice(start.length));
}
