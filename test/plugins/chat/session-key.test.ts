import { describe, expect, it } from "vitest";
import {
  channelOf,
  chooseSession,
  isInternal,
  kindOf,
  sessionKey,
} from "../../../plugins/chat/sessions/session-key.ts";

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
    ["main", "other", "main", false],
    ["alpha", "other", undefined, false],
    ["cron:1", "cron", "cron", true],
    ["hook:x", "hook", "hook", true],
    ["subagent:a", "subagent", "subagent", true],
    ["weixin:subagent:a", "subagent", "weixin", false],
    ["weixin:a", "main", "weixin", false],
    ["heartbeat:a", "main", "heartbeat", true],
    ["internal:a", "main", "internal", true],
  ])("%s is of kind %s, channel %s, internal %s", (key, kind, channel, internal) => {
    expect([kindOf(key), channelOf(key), isInternal(key)]).toEqual([kind, channel, internal]);
  });
});
