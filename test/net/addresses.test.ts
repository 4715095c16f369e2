import { describe, expect, it } from "vitest";
import { isAddress, isPublicAddress } from "../../kernel/net/addresses.ts";

describe("isPublicAddress", () => {
  it.each([
    ["8.8.8.8"],
    ["1.1.1.1"],
    ["172.15.0.1"],
    ["2606:4700:4700::1111"],
    ["[2001:4860:4860::8888]"],
    ["::ffff:8.8.8.8"],
    ["64:ff9b::808:808"],
    ["2002:808:808::1"],
  ])("%s is public", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["0.0.0.0", "unspecified"],
    ["10.0.0.1", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "carrier-grade NAT"],
    ["169.254.169.254", "metadata service"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["240.0.0.1", "reserved"],
    ["198.18.0.1", "benchmarking"],
    ["192.0.2.1", "documentation"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["::7f00:1", "IPv4-compatible loopback"],
    ["::808:808", "IPv4-compatible, never routed"],
    ["fe80::1%eth0", "link-local with a zone"],
    ["fc00::1", "unique local"],
    ["fd12:3456::1", "unique local"],
    ["fec0::1", "site-local"],
    ["ff02::1", "multicast"],
    ["2001:db8::1", "documentation"],
    ["2001::1", "Teredo"],
    ["0:0:0:0:0:ffff:7f00:1", "mapped loopback"],
    ["[::ffff:169.254.169.254]", "mapped metadata service"],
    ["64:ff9b::7f00:1", "NAT64 loopback"],
    ["64:ff9b::a9fe:a9fe", "NAT64 metadata service"],
    ["64:ff9b:1::808:808", "NAT64 of a local prefix"],
    ["2002:7f00:1::1", "6to4 loopback"],
    ["2002:c0a8:101::", "6to4 private"],
    ["not-an-address", "a name"],
    ["", "nothing"],
  ])("%s is not: %s", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it("tells addresses from names", () => {
    expect(["1.2.3.4", "[::1]", "::1", "fe80::1%lo"].map(isAddress)).toEqual([true, true, true, true]);
    expect(["localhost", "example.com", "1.2.3.4.example"].map(isAddress)).toEqual([false, false, false]);
  });
});
