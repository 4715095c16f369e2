/** The parts of the wire that have no server: answers and their numbers, texts for people, and where credentials may go. */
import { describe, expect, it } from "vitest";
import { parseAnswer, withoutSecrets } from "../../../plugins/weixin/ilink/client.ts";
import { baseNamed, sameSite, trustFor } from "../../../plugins/weixin/ilink/hosts.ts";

describe("an answer", () => {
  it.each([
    ["", {}],
    [" \n", {}],
    ['{"ret":0}', { ret: 0 }],
    ['{"message_id":7497484083968569736}', { message_id: "7497484083968569736" }],
    ['{"a":[-7497484083968569736,9007199254740991]}', { a: ["-7497484083968569736", 9007199254740991] }],
    ['{"text":"7497484083968569736 \\" 7497484083968569736"}', { text: '7497484083968569736 " 7497484083968569736' }],
    ['{"x":1234567890123456.5,"y":1000000000000000000e2}', { x: 1234567890123456.5, y: 1e20 }],
    ["[]", undefined],
    ["null", undefined],
    ["404 page not found", undefined],
  ])("%j is %j", (text, answer) => {
    expect(parseAnswer(text)).toEqual(answer);
  });

  it("is shown to people without what is in confidence, on one line, and not at length", () => {
    expect(withoutSecrets("bad\r\n token  abc-1 of abc-1!", ["abc-1", ""])).toBe("bad token … of …!");
    expect(withoutSecrets("x".repeat(1000), [])).toHaveLength(201);
  });
});

describe("a host that a server names", () => {
  const official = { baseUrl: "https://ilinkai.weixin.qq.com", allowHosts: [] };
  const local = {
    baseUrl: "http://127.0.0.1:4000/x",
    allowHosts: ["127.0.0.1:5000", "http://[::1]:6000", "dev.example"],
  };

  it.each([
    ["szilinkai.weixin.qq.com", "https://szilinkai.weixin.qq.com"],
    ["https://sz.weixin.qq.com/", "https://sz.weixin.qq.com"],
    ["weixin.qq.com", "https://weixin.qq.com"],
  ])("%s is Tencent's", (told, base) => {
    expect(baseNamed(told, official)).toBe(base);
    expect(trustFor(base, official)).toEqual([]);
  });

  it.each([
    "http://sz.weixin.qq.com",
    "https://sz.weixin.qq.com:8443",
    "sz.weixin.qq.com:444",
    "evilweixin.qq.com",
    "weixin.qq.com.evil.example",
    "evil.example/.weixin.qq.com",
    "https://sz.weixin.qq.com@evil.example",
    "evil.example#.weixin.qq.com",
    "evil.example?.weixin.qq.com",
    "evil.example\\.weixin.qq.com",
    "127.0.0.1",
    "ftp://sz.weixin.qq.com",
    "",
    " ",
  ])("%j is refused", (told) => {
    expect(baseNamed(told, official)).toBeUndefined();
  });

  it.each([
    ["127.0.0.1:4000", "http://127.0.0.1:4000"],
    ["http://127.0.0.1:4000/y/", "http://127.0.0.1:4000/y"],
    ["http://127.0.0.1:5000", "http://127.0.0.1:5000"],
    ["[::1]:6000", "http://[::1]:6000"],
    ["https://DEV.example:99/z", "https://dev.example:99/z"],
  ])("%s is the operator's", (told, base) => {
    expect(baseNamed(told, local)).toBe(base);
    expect(trustFor(base, local)).toEqual([new URL(base).origin]);
  });

  it("that stands in no list is none of them", () => {
    expect(baseNamed("http://127.0.0.1:4001", local)).toBeUndefined();
    expect(baseNamed("https://[::1]:6000", local)).toBeUndefined();
  });

  it("is of the same site as another of Tencent's, and as itself", () => {
    expect(sameSite("https://a.weixin.qq.com/x", "https://b.weixin.qq.com")).toBe(true);
    expect(sameSite("http://127.0.0.1:1/a", "http://127.0.0.1:1/b")).toBe(true);
    expect(sameSite("https://a.weixin.qq.com", "http://127.0.0.1:1")).toBe(false);
    expect(sameSite("http://127.0.0.1:2", "http://127.0.0.1:1")).toBe(false);
  });
});
