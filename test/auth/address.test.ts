/** Attacks S-07, S-09 and the proxy threads: one spelling per address, and locality from the socket alone. */
import { describe, expect, it } from "vitest";
import {
  clientAddress,
  isLoopback,
  limiterKey,
  normaliseAddress,
  parseRange,
  proxyTest,
} from "../../kernel/auth/address.ts";

describe("normaliseAddress", () => {
  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["::FFFF:7f00:1", "127.0.0.1"],
    ["0:0:0:0:0:ffff:203.0.113.9", "203.0.113.9"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["fe80::1%25en0", "fe80::1"],
    ["127.0.0.1%lo", "127.0.0.1"],
    ["::1", "::1"],
    ["", ""],
    [undefined, ""],
    ["localhost", ""],
    ["127.1", ""],
    ["0x7f.0.0.1", ""],
    ["0177.0.0.1", ""],
    ["2130706433", ""],
    ["127.0.0.1, 8.8.8.8", ""],
    ["127.0.0.1\r\nx: y", ""],
  ])("%j is %j", (raw, expected) => {
    expect(normaliseAddress(raw)).toBe(expected);
  });

  it("counts as loopback only what is", () => {
    expect(["127.0.0.1", "127.255.3.4", "::1"].every(isLoopback)).toBe(true);
    expect(["", "128.0.0.1", "127.evil", "::2", "10.0.0.1", "127.0.0.1.evil.com"].some(isLoopback)).toBe(false);
  });
});

describe("limiterKey", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::", "fe80:0:0:0::/64"],
    ["", ""],
  ])("%s → %s", (address, key) => {
    expect(limiterKey(address)).toBe(key);
  });
});

describe("trusted proxies", () => {
  it.each([
    ["10.0.0.0/8", "10.200.3.4", "11.0.0.1"],
    ["192.0.2.7", "192.0.2.7", "192.0.2.8"],
    ["::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.1"],
    ["2001:db8::/32", "2001:db8:9::1", "2001:db9::1"],
    ["::1", "::1", "127.0.0.1"],
  ])("%s trusts %s and not %s", (range, inside, outside) => {
    const trusts = proxyTest([range]);
    expect(trusts(inside)).toBe(true);
    expect(trusts(outside)).toBe(false);
    expect(trusts("")).toBe(false);
  });

  it.each([
    "",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "proxy.local",
    "::/129",
    "::ffff:1.2.3.4/90",
    "1.2.3.4/ 8",
  ])("%j is no range and trusts nobody", (entry) => {
    expect(parseRange(entry)).toBeUndefined();
    expect(proxyTest([entry])("10.0.0.1")).toBe(false);
  });
});

describe("clientAddress", () => {
  const nobody = proxyTest([]);
  const proxies = proxyTest(["10.0.0.0/8", "127.0.0.1", "::1"]);

  it("is local only on a bare loopback connection", () => {
    expect(clientAddress("::ffff:127.0.0.1", {}, nobody)).toEqual({
      peer: "127.0.0.1",
      address: "127.0.0.1",
      local: true,
      proxied: false,
    });
    expect(clientAddress("::1", {}, nobody).local).toBe(true);
    expect(clientAddress("10.0.0.2", {}, nobody).local).toBe(false);
    expect(clientAddress(undefined, {}, nobody)).toMatchObject({ address: "", local: false });
  });

  it.each([
    "x-forwarded-for",
    "forwarded",
    "x-real-ip",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-user",
    "cf-connecting-ip",
    "via",
  ])("takes locality away when an untrusted loopback peer sends %s", (name) => {
    expect(clientAddress("127.0.0.1", { [name]: "127.0.0.1" }, nobody)).toEqual({
      peer: "127.0.0.1",
      address: "127.0.0.1",
      local: false,
      proxied: false,
    });
  });

  it("never gives locality to a stranger who claims it", () => {
    const forged = { "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1" };
    expect(clientAddress("203.0.113.9", forged, nobody)).toMatchObject({ address: "203.0.113.9", local: false });
    expect(clientAddress("203.0.113.9", forged, proxies)).toMatchObject({ address: "203.0.113.9", local: false });
  });

  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["127.0.0.1, 203.0.113.9", "203.0.113.9"],
    ["198.51.100.1, 203.0.113.9, 10.0.0.3", "203.0.113.9"],
    ["203.0.113.9:4711", "203.0.113.9"],
    ["[2001:db8::7]:443", "2001:db8::7"],
    ["2001:db8::7", "2001:db8::7"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["10.0.0.9, 10.0.0.8", "10.0.0.9"],
    ["203.0.113.9, unknown, 10.0.0.8", "10.0.0.8"],
    ["203.0.113.9, unknown", "10.0.0.1"],
    ["203.0.113.9,", "10.0.0.1"],
    ["", "10.0.0.1"],
    [",,,", "10.0.0.1"],
    [`${"203.0.113.1, ".repeat(3000)}203.0.113.9`, "203.0.113.9"],
  ])("behind a trusted proxy, %j is %s", (header, address) => {
    const seen = clientAddress("10.0.0.1", { "x-forwarded-for": header }, proxies);
    expect(seen).toMatchObject({ peer: "10.0.0.1", address, local: false });
  });

  it("gives up after a bounded number of trusted hops", () => {
    const header = Array.from({ length: 5000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`).join(",");
    expect(clientAddress("10.0.0.1", { "x-forwarded-for": header }, proxies).address).toMatch(/^10\.0\.19\./);
  });

  it("never calls what comes through a declared proxy local, not even its own requests", () => {
    expect(clientAddress("127.0.0.1", {}, proxies).local).toBe(false);
    expect(clientAddress("127.0.0.1", { "x-forwarded-for": "127.0.0.1" }, proxies)).toMatchObject({
      address: "127.0.0.1",
      local: false,
    });
  });
});
