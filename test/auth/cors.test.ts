/** CORS follows the list of allowed origins, and echoes nothing unchecked. */
import { describe, expect, it } from "vitest";
import { corsHeaders } from "../../kernel/auth/cors.ts";
import { resolved, token } from "./fixture.ts";

const plain = await resolved({ auth: { token } });
const listed = await resolved({ auth: { token }, controlUi: { allowedOrigins: ["https://ui.example"] } });
const any = await resolved({ auth: { token }, controlUi: { allowedOrigins: ["*"] } });
const evil = "https://evil.example";
const self = "127.0.0.1:18790";

describe("corsHeaders", () => {
  it("echoes an allowed origin as the contract says", () => {
    expect(corsHeaders({ host: self, origin: "https://ui.example" }, listed)).toEqual({
      "access-control-allow-origin": "https://ui.example",
      vary: "Origin",
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
      "access-control-allow-headers":
        "Authorization, Content-Type, X-Requested-With, Accept, Origin, Cache-Control, Pragma",
      "access-control-expose-headers": "*",
      "access-control-max-age": "86400",
    });
  });

  it("echoes what a preflight asks for", () => {
    const asked = {
      "access-control-request-method": "PATCH",
      "access-control-request-headers": "authorization,x-openclaw-model",
    };
    const headers = corsHeaders({ host: self, origin: `http://${self}`, ...asked }, plain);
    expect(headers["access-control-allow-methods"]).toBe("PATCH");
    expect(headers["access-control-allow-headers"]).toBe("authorization,x-openclaw-model");
  });

  it("says nothing to others", () => {
    expect(corsHeaders({ host: self }, any)).toEqual({});
    expect(corsHeaders({ host: self, origin: evil }, plain)).toEqual({ vary: "Origin" });
    expect(corsHeaders({ host: self, origin: "null" }, any)).toEqual({ vary: "Origin" });
  });

  it("echoes nothing that could split a header or blow it up", () => {
    const asked = {
      "access-control-request-method": "GET\r\nset-cookie: a=b",
      "access-control-request-headers": `${"x".repeat(1025)}`,
    };
    const headers = corsHeaders({ host: self, origin: evil, ...asked }, any);
    expect(headers["access-control-allow-methods"]).toMatch(/^GET, POST/);
    expect(headers["access-control-allow-headers"]).toMatch(/^Authorization/);
    for (const origin of ["http://a\r\nx: y", `http://${"a".repeat(600)}`, "http://a\u00e9"]) {
      expect(corsHeaders({ host: self, origin }, any), origin).toEqual({ vary: "Origin" });
    }
  });
});
