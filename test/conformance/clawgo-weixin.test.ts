/** Cases A5 and A7 of ClawGo's API tests: the Weixin status while a draft runs, and a login while the channel is off. */
import { describe, expect, it } from "vitest";
import { httpServer, type TestServer } from "../kit/http-server.ts";
import { until } from "../kit/until.ts";
import { askAsOwner, freshGateway } from "./kit.ts";

const flags = { draft_dirty: true, config_enabled: false, runtime_enabled: true };

/** It serves the QR code by GET and nothing else. */
function stub(): Promise<TestServer> {
  return httpServer((req, res) => {
    const { method, url = "" } = req;
    if (method !== "GET" || url.split("?")[0] !== "/ilink/bot/get_bot_qrcode") {
      res.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("404 page not found\n");
      return;
    }
    res.end(JSON.stringify({ qrcode: "wx-qr", qrcode_img_content: "wx-qr-img" }));
  });
}

describe("Weixin", () => {
  it("A5: draft weixin enabled, then status: the draft is what runs", async () => {
    const gateway = await freshGateway({ config: { channels: { weixin: { enabled: false } } } });
    const config = { enabled: true, base_url: "https://ilinkai.weixin.qq.com" };
    const saved = await askAsOwner(gateway, "/api/channels/draft", { body: { channel: "weixin", config } });
    expect(saved.status, saved.text).toBe(200);
    const status = await askAsOwner(gateway, "/api/weixin/status");
    expect(status.status).toBe(200);
    expect(status.json()).toMatchObject({ ok: true, enabled: true, ...flags, pending_logins: [], accounts: [] });
  });

  it("A7: login/start with the channel off and an upstream that knows the QR code alone: still 200, as a draft", async () => {
    const upstream = await stub();
    const gateway = await freshGateway({
      config: { channels: { weixin: { enabled: false, base_url: upstream.origin } } },
    });
    const started = await askAsOwner(gateway, "/api/weixin/login/start", { method: "POST" });
    expect(started.status, started.text).toBe(200);
    expect(started.json()).toMatchObject(flags);
    // What the first question after the QR code came to is in the reply already, unless the machine is very busy.
    const refused = await until(async () => {
      const status = (await askAsOwner(gateway, "/api/weixin/status")).json() as Record<string, unknown>;
      return status.ok === false && status;
    });
    expect(refused).toMatchObject({ error: expect.stringContaining("HTTP 404"), ...flags });
    expect(upstream.seen.map(({ method, path }) => `${method} ${path}`).slice(0, 3)).toEqual([
      "POST /ilink/bot/get_bot_qrcode?bot_type=3",
      "GET /ilink/bot/get_bot_qrcode?bot_type=3",
      "GET /ilink/bot/get_qrcode_status?qrcode=wx-qr",
    ]);
    const version = await askAsOwner(gateway, "/api/version");
    expect(version.json()).toMatchObject({ compiled_channels: expect.arrayContaining(["weixin"]) });
  });
});
