/** The page itself: public, without a secret, with headers that let nothing foreign in; and what it loads. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tempDir, writeTree } from "../../kit/temp.ts";
import { html, page } from "./kit.ts";

const nobody = { token: null };

describe("GET /", () => {
  it("is there for everybody, with strict headers", async () => {
    const host = await page();
    const reply = await host.request("/", nobody);
    expect([reply.status, reply.text]).toEqual([200, html]);
    expect(reply.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; script-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; " +
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; " +
        "require-trusted-types-for 'script'; trusted-types lit-html dompurify chela 'allow-duplicates'; " +
        "style-src 'self' 'sha256-sGmOFMBsgOEocJBNxWcEeKekFd26OJtWAFKHw5KgusI='; frame-ancestors 'none'",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": expect.stringContaining("microphone=()") as string,
      "cache-control": "no-cache",
    });
    expect(reply.headers["set-cookie"]).toBeUndefined();
  });

  it("answers HEAD alike, and 304 to who has it", async () => {
    const host = await page();
    const { etag = "" } = (await host.request("/", nobody)).headers;
    const head = await host.request("/", { ...nobody, method: "HEAD" });
    expect([head.status, head.text, head.headers.etag]).toEqual([200, "", etag]);
    expect(head.headers["content-length"]).toBe(String(html.length));
    const again = await host.request("/", { ...nobody, headers: { "if-none-match": `"other", W/${etag}` } });
    expect([again.status, again.text]).toEqual([304, ""]);
    expect(again.headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    const refused = await host.request("/", { ...nobody, body: {} });
    expect([refused.status, refused.headers.allow]).toEqual([405, "GET, HEAD"]);
  });

  it("serves an address with a token alike, keeps it nowhere and tells the log nothing", async () => {
    const host = await page({ config: { logging: { level: "debug" } } });
    const reply = await host.request(`/?token=${host.token}`, nobody);
    expect([reply.status, reply.text]).toEqual([200, html]);
    expect(reply.headers["cache-control"]).toBe("no-store");
    expect((await host.request("/?token=wrong", nobody)).text).toBe(html);
    expect(JSON.stringify(host.logs())).not.toContain(host.token);
  });

  it("may be framed by whom the config names, from the next request on", async () => {
    const host = await page();
    const ancestors = ["'self'", "https://home.example:8123", "https://*.home.example"];
    const { applied } = await host.config.write([{ path: "webui.frameAncestors", value: ancestors }], { who: "test" });
    expect(applied).toEqual(["webui.frameAncestors"]);
    const { headers } = await host.request("/", nobody);
    expect(headers["content-security-policy"]).toMatch(
      /; frame-ancestors 'self' https:\/\/home\.example:8123 https:\/\/\*\.home\.example$/,
    );
    expect(headers["x-frame-options"]).toBeUndefined();
  });

  it.each([
    "*",
    "https://*",
    "https://a.*",
    "https://a.example; script-src *",
    "https://a.example/path",
    "javascript:x",
    "",
    "none 'self'",
  ])("takes no %j for an origin", async (value) => {
    const host = await page();
    const writing = host.config.write([{ path: "webui.frameAncestors", value: [value] }], { who: "test" });
    await expect(writing).rejects.toMatchObject({ status: 400 });
  });

  it("says how to build it when it was not, and is there once it was", async () => {
    const folder = join(tempDir(), "webui");
    const host = await page({}, [], folder);
    const reply = await host.request("/", nobody);
    expect(reply).toMatchObject({ status: 503, text: expect.stringContaining("npm run build") });
    expect((await host.request("/ui/app.js", nobody)).status).toBe(500);
    writeTree(folder, { "index.html": html, "ui/app.js": "1" });
    expect((await host.request("/", nobody)).text).toBe(html);
    expect((await host.request("/ui/app.js", nobody)).text).toBe("1");
  });

  it("runs in safe mode, as the way out of trouble", async () => {
    const host = await page({ safeMode: "safe mode: three boots crashed" });
    expect((await host.request("/", nobody)).text).toBe(html);
    const session = (await host.request("/api/webui/session")).json();
    expect(session).toMatchObject({ safe_mode: true, safe_mode_reason: "safe mode: three boots crashed" });
  });
});

describe("GET /ui/*", () => {
  const app = "/ui/app-B7x9Q2kd.js";

  it("keeps what carries a hash for good, and asks anew for the rest", async () => {
    const host = await page();
    const { headers, text } = await host.request(app, nobody);
    expect(text).toBe("export const plain = true;");
    expect(headers).toMatchObject({
      "cache-control": "public, max-age=31536000, immutable",
      "content-type": "text/javascript; charset=utf-8",
      "x-content-type-options": "nosniff",
      vary: "Accept-Encoding",
    });
    const logo = await host.request("/ui/logo.svg", nobody);
    expect(logo.headers).toMatchObject({ "cache-control": "no-cache", "content-type": "image/svg+xml" });
  });

  it("sends the compressed form to who can read it", async () => {
    const host = await page();
    const { headers, text } = await host.request(app, { ...nobody, headers: { "accept-encoding": "gzip, br" } });
    expect([text, headers["content-encoding"]]).toEqual(["br!", "br"]);
  });
});
