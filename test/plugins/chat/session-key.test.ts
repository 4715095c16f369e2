import { describe, expect, it } from "vitest";
import { channelOf, chooseSession, kindOf, sessionKey } from "../../../plugins/chat/sessions/session-key.ts";

describe("a session key", () => {
  it.each(["main", "../../etc/passwd", "汉字", "a".repeat(200), "%2e%2e", "weixin:bot:user@im"])("may be %s", (key) => {
    expect(sessionKey(key)).toBe(key);
  });

  it.each(["", "a".repeat(201), "a\nb", "a\u0000", "\u007f", "\u0085"])("may not be %j", (key) => {
    expect(() => sessionKey(key)).toThrow(/1 to 200 characters/);
  });

  it("is the first that is given", () => {
    expect(chooseSession("", undefined, " q ")).toBe("q");
    expect(chooseSession(undefined, "  ")).toBe("main");
  });

  it.each([
    ["main", "other", "main"],
    ["alpha", "other", undefined],
    ["cron:1", "cron", "cron"],
    ["hook:x", "hook", "hook"],
    ["subagent:a", "subagent", "subagent"],
    ["weixin:subagent:a", "subagent", "weixin"],
    ["weixin:a", "main", "weixin"],
    ["heartbeat:a", "main", "heartbeat"],
    ["internal:a", "main", "internal"],
  ])("%s is of kind %s, channel %s", (key, kind, channel) => {
    expect([kindOf(key), channelOf(key)]).toEqual([kind, channel]);
  });
});
