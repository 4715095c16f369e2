/** What this browser remembers between visits. A browser that forbids storage simply forgets. */

const prefix = "chela.";

export function remembered(name: string): string | undefined {
  try {
    return localStorage.getItem(prefix + name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** undefined forgets. */
export function remember(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(prefix + name);
    else localStorage.setItem(prefix + name, value);
  } catch {
    // Forbidden or full: the page works without.
  }
}

/** The same for this tab only: it is forgotten with the tab, and outlives a reload. */
export function rememberedHere(name: string): string | undefined {
  try {
    return sessionStorage.getItem(prefix + name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** undefined forgets. */
export function rememberHere(name: string, value: string | undefined): void {
  try {
    if (value === undefined) sessionStorage.removeItem(prefix + name);
    else sessionStorage.setItem(prefix + name, value);
  } catch {
    // Forbidden or full: the page works without.
  }
}

/** Forgets all that this tab remembers. */
export function forgetHere(): void {
  try {
    sessionStorage.clear();
  } catch {
    // Forbidden: then nothing was remembered.
  }
}
