/** Which network addresses are public. The door to ipaddr.js; addresses are judged as bytes, never as text. */
import ipaddr from "ipaddr.js";

/** True for an ordinary address of the public internet; false for everything special and for what is no address. */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  if (address.kind() === "ipv4") return address.range() === "unicast";
  const bytes = address.toByteArray();
  const carried = carriedAddress(address.range(), bytes);
  if (carried !== undefined) return ipaddr.fromByteArray(carried).range() === "unicast";
  // Only 2000::/3 is public; this also leaves out ::a.b.c.d, the deprecated form of an embedded IPv4 address.
  return address.range() === "unicast" && ((bytes[0] ?? 0) & 0xe0) === 0x20;
}

/** True when the text is an IP address rather than a name; brackets and a zone are accepted. */
export function isAddress(text: string): boolean {
  return parseAddress(text) !== undefined;
}

/** The IPv4 address inside an IPv4-mapped, NAT64 (64:ff9b::/96) or 6to4 address: that is where a packet would end. */
function carriedAddress(range: string, bytes: readonly number[]): number[] | undefined {
  if (range === "ipv4Mapped") return bytes.slice(12);
  if (range === "6to4") return bytes.slice(2, 6);
  const wellKnown = range === "rfc6052" && bytes.slice(4, 12).every((byte) => byte === 0);
  return wellKnown ? bytes.slice(12) : undefined;
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  return ipaddr.isValid(bare) ? ipaddr.parse(bare) : undefined;
}
