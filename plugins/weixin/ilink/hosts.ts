/**
 * Where credentials may go. The operator's own address and hosts are as they stand in the settings, even on a private network;
 * what a server names counts only when it is Tencent's over https, or one of those. Pure.
 */
import type { Settings } from "../settings.ts";

type Named = Pick<Settings, "baseUrl" | "allowHosts">;

/**
 * The base address, without a slash at its end, that a server means by a host or a URL; undefined when it is none, or not one to
 * trust. A bare host is https, but for one that the operator named with another scheme.
 */
export function baseNamed(told: string, named: Named): string | undefined {
  const text = /^https?:\/\//i.test(told) ? told : `${schemeOf(told, named)}//${told}`;
  if (/[\s\\@?#]/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return isOperators(url, named) || isTencents(url) ? url.href.replace(/\/+$/, "") : undefined;
}

/** For the guarded fetch: the origin, when it is the operator's to be reached wherever it lies. */
export function trustFor(base: string, named: Named): string[] {
  const url = new URL(base);
  return isOperators(url, named) ? [url.origin] : [];
}

/** True when what was given to one of two servers may be shown to the other. */
export function sameSite(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return false;
  const [a, b] = [new URL(one), new URL(other)];
  return a.origin === b.origin || (isTencents(a) && isTencents(b));
}

function isOperators(url: URL, { baseUrl, allowHosts }: Named): boolean {
  if (URL.canParse(baseUrl) && new URL(baseUrl).origin === url.origin) return true;
  return allowHosts.some((entry) => {
    if (entry.includes("://")) return URL.canParse(entry) && new URL(entry).origin === url.origin;
    return [url.host, url.hostname].includes(entry.toLowerCase());
  });
}

function isTencents({ protocol, port, hostname }: URL): boolean {
  return protocol === "https:" && port === "" && `.${hostname}`.endsWith(".weixin.qq.com");
}

function schemeOf(host: string, { baseUrl, allowHosts }: Named): string {
  const urls = [baseUrl, ...allowHosts].filter((one) => URL.canParse(one)).map((one) => new URL(one));
  return urls.find((url) => url.host === host.toLowerCase())?.protocol ?? "https:";
}
