/** The transports of a secret, in ClawGo's order; the Referer opens assets only. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { present, resolved } from "./fixture.ts";

const auth = await resolved();
const list = (source: Parameters<typeof present>[1], what?: "route" | "stream") =>
  present(auth, source, what).candidates.map(({ transport, value }) => `${transport}:${value}`);

describe("readCredentials", () => {
  it("keeps the order bearer, query, cookie, referer", () => {
    const headers = {
      authorization: "Bearer one",
      cookie: "a=b; clawgo_webui_token=three; chela_token=four",
      referer: "http://127.0.0.1/?token=five",
    };
    const query = new URLSearchParams("token=two&token=ignored");
    expect(list({ headers, query, allowReferer: true })).toEqual([
      "bearer:one",
      "query:two",
      "cookie:three",
      "cookie:four",
      "referer:five",
    ]);
  });

  it.each([
    ["Bearer x", ["bearer:x"]],
    ["  Bearer x  ", ["bearer:x"]],
    ["Bearer  x", ["bearer: x"]],
    ["bearer x", []],
    ["BEARER x", []],
    ["Bearer", []],
    ["Bearer ", []],
    ["Basic eDp5", []],
    ["x", []],
    ["", []],
  ])("authorization %j", (authorization, expected) => {
    expect(list({ headers: { authorization } })).toEqual(expected);
  });

  it.each([
    ["token=%20x%20", ["query:x"]],
    ["token=", []],
    ["Token=x", []],
    ["access_token=x", []],
    ["a=1&token=x%00y", ["query:x\0y"]],
  ])("query %j", (query, expected) => {
    expect(list({ query: new URLSearchParams(query) })).toEqual(expected);
  });

  it.each([
    ["clawgo_webui_token= x ", ["cookie:x"]],
    ['clawgo_webui_token="x"', ["cookie:x"]],
    ["chela_token=a%3Db", ["cookie:a=b"]],
    ["chela_token=%zz", ["cookie:%zz"]],
    ["chela_token=a=b", ["cookie:a=b"]],
    ["xchela_token=x; chela_tokens=y; chela_token", []],
    ["chela_token=x; chela_token=x; chela_token=y", ["cookie:x", "cookie:x", "cookie:y"]],
    [";;;=;", []],
  ])("cookie %j", (cookie, expected) => {
    expect(list({ headers: { cookie } })).toEqual(expected);
  });

  it("reads the Referer only where the caller says so, and never for a stream", () => {
    const headers = { referer: "http://127.0.0.1:18790/app?token=x" };
    expect(list({ headers })).toEqual([]);
    expect(list({ headers, allowReferer: true })).toEqual(["referer:x"]);
    expect(list({ headers, allowReferer: true }, "stream")).toEqual([]);
    for (const referer of ["token=x", "http://[?token=x", "", "http://h/?tok=x"]) {
      expect(list({ headers: { referer }, allowReferer: true })).toEqual([]);
    }
  });

  it("takes at most 8 candidates of at most 4 KB", () => {
    const cookie = Array.from({ length: 50 }, (_, i) => `chela_token=v${i}`).join("; ");
    expect(list({ headers: { cookie } })).toHaveLength(8);
    expect(list({ headers: { authorization: `Bearer ${"x".repeat(4097)}` } })).toEqual([]);
    expect(list({ headers: { authorization: `Bearer ${"x".repeat(4096)}` } })).toHaveLength(1);
  });

  it("hashes the UTF-8 of the value", () => {
    const [candidate] = present(auth, { query: new URLSearchParams({ token: "schlüssel" }) }).candidates;
    expect(candidate?.digest).toBe(createHash("sha256").update("schlüssel", "utf8").digest("hex"));
  });

  it("carries where the request comes from", () => {
    expect(present(auth, { peer: "::ffff:127.0.0.1" })).toMatchObject({
      address: "127.0.0.1",
      peer: "127.0.0.1",
      local: true,
    });
    expect(present(auth, { peer: "127.0.0.1", headers: { "x-forwarded-for": "1.2.3.4" } }).local).toBe(false);
  });
});
