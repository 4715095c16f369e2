/**
 * Who is at the other end, judged by the socket. Forwarded headers count only when the peer is a trusted proxy, and
 * then only the rightmost hop that is not; from anyone else they can take locality away but never give it.
 */
import type { IncomingHttpHeaders } from "node:http";
import { BlockList, isIPv4, isIPv6, SocketAddress } from "node:net";

/** True for an address (normalised) of a proxy whose forwarded headers count. */
export type ProxyTest = (address: string) => boolean;

export interface ClientAddress {
  /** The peer, normalised. */
  readonly peer: string;
  /** The client: the peer, or the rightmost untrusted hop behind a trusted one. */
  readonly address: string;
  /** The peer is this machine and nothing stands in between. */
  readonly local: boolean;
  /** The address was taken from a trusted proxy's header. */
  readonly proxied: boolean;
}

const maxHops = 32;
const forwardedNames = [
  "x-forwarded-for",
  "forwarded",
  "x-real-ip",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-forwarded-port",
  "x-forwarded-server",
  "x-forwarded-prefix",
  "x-forwarded-user",
  "x-client-ip",
  "cf-connecting-ip",
  "true-client-ip",
  "via",
] as const;

/** One spelling per address: lower case, shortest form, no zone id, IPv4-mapped IPv6 as IPv4. Empty when it is none. */
export function normaliseAddress(raw: string | undefined): string {
  if (raw === undefined) return "";
  if (isIPv4(raw)) return raw;
  const zone = raw.indexOf("%");
  const bare = (zone === -1 ? raw : raw.slice(0, zone)).trim();
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return "";
  const canonical = new SocketAddress({ address: bare, family: "ipv6" }).address;
  const mapped = canonical.startsWith("::ffff:") ? canonical.slice(7) : "";
  return isIPv4(mapped) ? mapped : canonical;
}

/** What one budget of guesses belongs to: the IPv4 address, or the /64 that one IPv6 customer has to himself. */
export function limiterKey(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? 0 : tail.split(":").length;
  const tailGroups = after === 0 ? [] : (tail as string).split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - after;
  const full = [...groups, ...Array<string>(Math.max(0, zeros)).fill("0"), ...tailGroups];
  return `${full.slice(0, 4).join(":")}::/64`;
}

export function isLoopback(address: string): boolean {
  return address === "::1" || (address.startsWith("127.") && isIPv4(address));
}

/** The client behind `peer`. Every entrance asks this, and nothing else, where a request comes from. */
export function clientAddress(
  rawPeer: string | undefined,
  headers: IncomingHttpHeaders,
  trusts: ProxyTest,
): ClientAddress {
  const peer = normaliseAddress(rawPeer);
  const loopback = isLoopback(peer);
  const forwarded = isForwarded(headers);
  if (!forwarded && !loopback) return { peer, address: peer, local: false, proxied: false };
  // What the operator calls a proxy speaks for others, so even a bare request of its own is not local.
  if (!trusts(peer)) return { peer, address: peer, local: loopback && !forwarded, proxied: false };
  const address = rightmostUntrusted(headers["x-forwarded-for"], trusts) ?? peer;
  return { peer, address, local: false, proxied: address !== peer };
}

export function isForwarded(headers: IncomingHttpHeaders): boolean {
  for (const name of forwardedNames) if (headers[name] !== undefined) return true;
  return false;
}

/** Walks the hops from the right. A hop that is no address ends the walk at the proxy that wrote it. */
function rightmostUntrusted(header: string | string[] | undefined, trusts: ProxyTest): string | undefined {
  if (header === undefined) return undefined;
  const list = typeof header === "string" ? header : header.join(",");
  let end = list.length;
  let nearest: string | undefined;
  for (let hops = 0; hops < maxHops && end >= 0; hops++) {
    const comma = end === 0 ? -1 : list.lastIndexOf(",", end - 1);
    const hop = hopAddress(list.slice(comma + 1, end).trim());
    if (hop === "") return nearest;
    nearest = hop;
    if (!trusts(hop)) return hop;
    end = comma;
  }
  return nearest;
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`. */
function hopAddress(hop: string): string {
  if (hop.startsWith("[")) return normaliseAddress(hop.slice(1, Math.max(1, hop.indexOf("]"))));
  const colon = hop.indexOf(":");
  return normaliseAddress(colon !== -1 && colon === hop.lastIndexOf(":") ? hop.slice(0, colon) : hop);
}

/** One parsed entry of `gateway.trustedProxies`, or undefined when it is neither an address nor a CIDR range. */
export function parseRange(entry: string): { address: string; prefix: number } | undefined {
  const [raw = "", bits, more] = entry.trim().split("/");
  const address = normaliseAddress(raw);
  if (address === "" || more !== undefined || raw.includes("%")) return undefined;
  const width = address.includes(":") ? 128 : 32;
  if (bits === undefined) return { address, prefix: width };
  if (!/^\d{1,3}$/.test(bits)) return undefined;
  // A mapped range such as ::ffff:10.0.0.0/104 is the IPv4 range it maps.
  const prefix = Number(bits) - (width === 32 && raw.includes(":") ? 96 : 0);
  return prefix >= 0 && prefix <= width ? { address, prefix } : undefined;
}

/** Compiles `gateway.trustedProxies`; entries that cannot be read trust nobody. */
export function proxyTest(entries: readonly string[]): ProxyTest {
  const ranges = entries.map(parseRange).filter((range) => range !== undefined);
  if (ranges.length === 0) return () => false;
  const list = new BlockList();
  for (const { address, prefix } of ranges) list.addSubnet(address, prefix, family(address));
  return (address) => address !== "" && list.check(address, family(address));
}

function family(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}
