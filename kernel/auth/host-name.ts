/** Reading `Host` and `Origin`, strictly: what a browser would not send is no host and no origin. */
import { isIPv4, isIPv6 } from "node:net";

export interface HostName {
  /** Lower case, without brackets. */
  readonly name: string;
  /** Decimal, or empty when the default port of the scheme is meant. */
  readonly port: string;
  readonly literal: boolean;
}

export interface OriginName extends HostName {
  readonly scheme: "http" | "https";
}

const hostPattern = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,253}))(?::(\d{1,5}))?$/;
const originPattern = /^(https?):\/\/([^/]{1,300})$/;
const maxLength = 512;

/** A header as one text; a repeated one reads as what it is, a list, and matches nothing that is not. */
export function oneText(header: string | string[] | undefined): string | undefined {
  return typeof header === "object" ? header.join(",") : header;
}

export function parseHost(header: string | undefined): HostName | undefined {
  if (header === undefined || header.length > maxLength) return undefined;
  const match = hostPattern.exec(header.toLowerCase());
  if (match === null) return undefined;
  const [, six, name = six ?? "", port = ""] = match;
  if (six !== undefined && !isIPv6(six)) return undefined;
  return { name, port, literal: six !== undefined || isIPv4(name) };
}

/** Undefined for `null`, for extensions and for anything that is not `http(s)://host[:port]`. */
export function parseOrigin(header: string): OriginName | undefined {
  if (header.length > maxLength) return undefined;
  const match = originPattern.exec(header.toLowerCase());
  const host = match?.[2] === undefined ? undefined : parseHost(match[2]);
  if (match === null || host === undefined) return undefined;
  const scheme = match[1] as "http" | "https";
  return { ...host, port: withoutDefault(scheme, host.port), scheme };
}

/** Same host and port; the scheme may differ, because TLS often ends in front of us. */
export function sameHost(origin: OriginName, host: HostName): boolean {
  return origin.name === host.name && origin.port === withoutDefault(origin.scheme, host.port);
}

/** The spelling that allowed origins are compared in: lower case, no default port, no trailing slash. */
export function originKey(origin: string): string {
  const bare = origin.trim().replace(/\/+$/, "");
  const parsed = parseOrigin(bare);
  if (parsed === undefined) return bare.toLowerCase();
  const name = parsed.name.includes(":") ? `[${parsed.name}]` : parsed.name;
  return `${parsed.scheme}://${name}${parsed.port === "" ? "" : `:${parsed.port}`}`;
}

function withoutDefault(scheme: "http" | "https", port: string): string {
  return port === (scheme === "https" ? "443" : "80") ? "" : port;
}
