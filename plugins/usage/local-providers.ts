/** Which providers live on this machine: what their models are called says nothing about a price. */
import type { Config } from "@chela/sdk";

const loopback =
  /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\]|\[::ffff:7f[0-9a-f:]+\]|0\.0\.0\.0|host\.docker\.internal)$/i;

/** Reads the config when it is first asked, and again after `forget`. */
export function localProviders(config: Pick<Config, "get">) {
  let known: ReadonlySet<string> | undefined;
  return {
    has: (provider: string): boolean => {
      known ??= read(config);
      return known.has(provider);
    },
    forget: (): void => {
      known = undefined;
    },
  };
}

function read(config: Pick<Config, "get">): ReadonlySet<string> {
  const { value } = config.get("models.providers", "merged");
  const entries = typeof value === "object" && value !== null ? Object.entries(value as Record<string, unknown>) : [];
  return new Set(
    entries.filter(([, entry]) => isLocal((entry as { api_base?: unknown } | null)?.api_base)).map(([name]) => name),
  );
}

function isLocal(base: unknown): boolean {
  return typeof base === "string" && URL.canParse(base) && loopback.test(new URL(base).hostname);
}
