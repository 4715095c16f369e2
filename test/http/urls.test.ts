/** One reading of the path (S-13): what guard and router could read differently is refused. */
import { GatewayError } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { canonicalPath } from "../../kernel/http/urls.ts";

describe("canonicalPath", () => {
  it.each([
    ["/", "/", ""],
    ["/api/config", "/api/config", ""],
    ["/api/config?mode=hot&x=%2e%2e/..//", "/api/config", "?mode=hot&x=%2e%2e/..//"],
    ["/api/config?", "/api/config", "?"],
    ["/api/x??a", "/api/x", "??a"],
    ["/.well-known/x", "/.well-known/x", ""],
    ["/a/..b/.../c.", "/a/..b/.../c.", ""],
    ["/trailing/", "/trailing/", ""],
    ["/a%20b/%E4%BD%A0", "/a%20b/%E4%BD%A0", ""],
    ["/v1/models/openai%2Fgpt-5", "/v1/models/openai%2Fgpt-5", ""],
    ["/v1/models/openai/gpt-5", "/v1/models/openai/gpt-5", ""],
    ["/100%25", "/100%25", ""],
    ["/a:b@c,d=e+f!g*h'(i)$&~-_", "/a:b@c,d=e+f!g*h'(i)$&~-_", ""],
    ["/a%3Ab", "/a%3Ab", ""],
  ])("%s is taken as it is", (raw, path, search) => {
    expect(canonicalPath(raw)).toEqual({ path, base: "", search });
  });

  it.each([
    ["nothing", ""],
    ["an absolute form", "http://127.0.0.1/api/config"],
    ["an asterisk", "*"],
    ["an authority form", "127.0.0.1:80"],
    ["a relative path", "api/config"],
    ["//api", "//api/config"],
    ["a double slash inside", "/api//config"],
    ["a double slash at the end", "/api//"],
    ["/./", "/api/./config"],
    ["/../", "/api/../config"],
    ["a trailing dot", "/api/."],
    ["trailing dots", "/api/.."],
    ["dots before a query", "/api/..?x"],
    ["encoded dots", "/api/%2e%2e/config"],
    ["encoded dots, mixed", "/api/.%2E/config"],
    ["one encoded dot in a name", "/api/config%2ejson"],
    ["an encoded slash", "/api%2fconfig"],
    ["an encoded slash, upper case", "/api%2Fconfig"],
    ["an encoded slash at the start of the list's prefix", "/v1%2Fmodels/x"],
    ["an encoded slash below another path", "/v1/chat%2Fcompletions"],
    ["encoded dots behind an encoded slash", "/v1/models/a%2F..%2Fb"],
    ["a double encoded slash in a name", "/v1/models/a%2F%2Fb"],
    ["a backslash", "/api\\config"],
    ["an encoded backslash", "/api%5cconfig"],
    ["a semicolon", "/api/config;x=1"],
    ["an encoded semicolon", "/api/config%3bx"],
    ["NUL", "/api/config%00"],
    ["a raw NUL", "/api/config\0"],
    ["an encoded newline", "/api%0d%0aset-cookie:x"],
    ["a raw newline", "/api\r\nx"],
    ["DEL", "/api%7f"],
    ["a space", "/api config"],
    ["a tab", "/api\tconfig"],
    ["a fragment", "/api#x"],
    ["a fragment in the query", "/api?x#y"],
    ["an encoded letter", "/%61pi/config"],
    ["an encoded digit", "/v%31/models"],
    ["an encoded underscore", "/api/tool%5Fallowlist_groups"],
    ["double encoding", "/api/%252e%252e/config"],
    ["double encoding of a slash", "/api%252fconfig"],
    ["a lone percent", "/api/%"],
    ["a cut escape", "/api/%2"],
    ["an escape that is none", "/api/%zz"],
    ["an overlong slash", "/api%c0%afconfig"],
    ["an overlong dot", "/api/%c0%ae%c0%ae/config"],
    ["a cut sequence", "/api/%e4%bd"],
    ["a surrogate", "/api/%ed%a0%80"],
    ["latin-1", "/api/%e9"],
    ["raw UTF-8", "/api/caf\u00e9"],
    ["raw bytes in the query", "/api?q=\u00e4"],
    ["a raw newline in the query", "/api?q=a\nb"],
    ["a full-width slash", "/api\uff0fconfig"],
    ["8 KB and more", `/${"a".repeat(8192)}`],
    ["a long query", `/a?${"a".repeat(8192)}`],
    ["undefined", undefined],
  ])("%s is refused", (_name, raw) => {
    let refusal: unknown;
    try {
      canonicalPath(raw);
    } catch (error) {
      refusal = error;
    }
    expect(GatewayError.is(refusal)).toBe(true);
    expect(refusal).toMatchObject({ code: "BAD_PATH", status: 400 });
    expect((refusal as Error).message).toMatch(/^the request path [\x20-\x7e]+$/);
  });

  it("accepts nothing that decodes to another path than it shows", () => {
    const alphabet = ["a", "/", ".", "%2e", "%2f", "%5c", "%", "?", ";", "%25", "2e", "\\", "%E4%BD%A0"];
    let accepted = 0;
    for (let n = 0; n < alphabet.length ** 4; n++) {
      let raw = "/";
      for (let rest = n, i = 0; i < 4; i++) {
        raw += alphabet[rest % alphabet.length];
        rest = Math.floor(rest / alphabet.length);
      }
      let path: string;
      try {
        ({ path } = canonicalPath(raw));
      } catch {
        continue;
      }
      accepted += 1;
      const resolved = new URL(path, "http://h").pathname;
      expect(resolved).toBe(path);
      expect(decodeURIComponent(path).split("/")).toHaveLength(path.split("/").length);
      expect(decodeURIComponent(path)).not.toMatch(/(^|\/)\.{1,2}(\/|$)|\/\/|[\\;\0]/);
    }
    expect(accepted).toBeGreaterThan(100);
  });

  it("is quick about a plain path", () => {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      const from = performance.now();
      for (let i = 0; i < 50_000; i++) canonicalPath("/v1/chat/completions");
      best = Math.min(best, ((performance.now() - from) / 50_000) * 1000);
    }
    expect(best, "µs").toBeLessThan(5);
  });
});
