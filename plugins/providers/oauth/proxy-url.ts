/** Proxies of accounts as text: read, checked, and shown without the password. */
import { GatewayError } from "@chela/sdk";

const schemes: ReadonlySet<string> = new Set(["http:", "https:", "socks5:", "socks5h:"]);

/** `host:port` means http. Empty text is no proxy. Throws `OAUTH_PROXY` 400 for what is none of http, https, socks5. */
export function parseProxy(text: string | undefined): string | undefined {
  const trimmed = text?.trim() ?? "";
  if (trimmed === "") return undefined;
  const url = readUrl(trimmed.includes("://") ? trimmed : `http://${trimmed}`);
  if (!url || !schemes.has(url.protocol) || url.hostname === "" || url.search !== "" || url.hash !== "") {
    throw new GatewayError(
      "OAUTH_PROXY",
      400,
      `invalid network proxy: ${maskProxy(trimmed).slice(0, 200)}; give http://, https:// or socks5://host:port`,
    );
  }
  const scheme = url.protocol === "socks5h:" ? "socks5:" : url.protocol;
  const user = url.username === "" ? "" : `${url.username}${url.password === "" ? "" : `:${url.password}`}@`;
  return `${scheme}//${user}${url.host}`;
}

/** The same text, its password as `***`. */
export function maskProxy(text: string | undefined): string {
  return (text ?? "").replace(/^((?:[a-z0-9+.-]+:\/\/)?[^/@:\s]*):.*@/i, "$1:***@");
}

function readUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
