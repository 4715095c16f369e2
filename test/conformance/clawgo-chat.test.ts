/** ClawGo contract §1.3 and §1.10: chat, its history, the live connection and the list of sessions. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";
import { askAsOwner, gatewayForAll, talk } from "./kit.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const gateway = gatewayForAll(async () => ({
  config: {
    agents: { defaults: { model: { primary: "sim/echo" } } },
    models: { providers: { sim: { api_base: upstream.base, api_key: "k", models: ["echo", "bad", "fault"] } } },
  },
}));

const say = (body: unknown, query = "") => askAsOwner(gateway(), `/api/chat${query}`, { body });

interface Entry {
  readonly role: string;
  readonly content: string;
}

async function history(query: string): Promise<Entry[]> {
  const answer = await askAsOwner(gateway(), `/api/chat/history?${query}`);
  return (answer.json() as { messages: Entry[] }).messages;
}

describe("1.3 POST /api/chat", () => {
  it("answers as the API document shows", async () => {
    const answer = await say({ session: "main", message: "Hello" });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.json()).toMatchObject({ ok: true, reply: "echo: Hello", session: "main" });
  });

  it("takes the session from the body, else from the query, else it is main", async () => {
    expect((await say({ session: "b", message: "x" }, "?session=q")).json()).toMatchObject({ session: "b" });
    expect((await say({ message: "x" }, "?session=q")).json()).toMatchObject({ session: "q" });
    expect((await say({ message: "x" })).json()).toMatchObject({ session: "main" });
  });

  it("adds the media to the prompt as `[file: …]` on a line of its own", async () => {
    await say({ session: "media", message: "Read this", media: "/tmp/notes.txt" });
    expect((await history("session=media"))[0]).toMatchObject({
      role: "user",
      content: "Read this\n[file: /tmp/notes.txt]",
    });
    await say({ session: "media", media: "/tmp/only.txt" });
    expect((await history("session=media"))[2]).toMatchObject({ content: "[file: /tmp/only.txt]" });
  });

  it("asks no model for an empty or blank prompt", async () => {
    const before = upstream.requests.length;
    for (const message of ["", "  \n\t "]) {
      expect((await say({ session: "blank", message })).json()).toEqual({ ok: true, reply: "", session: "blank" });
    }
    expect(upstream.requests).toHaveLength(before);
  });

  it("decodes as Go does: any case of a key, null is nothing, unknown keys and no content type are fine", async () => {
    const answer = await say('{"Session":"go","MESSAGE":"hi","media":null,"future":{"x":1}}');
    expect(answer.json()).toMatchObject({ ok: true, reply: "echo: hi", session: "go" });
  });

  it("is 400 `invalid json` for what cannot be decoded", async () => {
    for (const body of ["{", "", '{"message":5}', '{"session":[],"message":"x"}']) {
      expect(await say(body), body).toMatchObject({ status: 400, text: "invalid json\n" });
    }
  });

  it("is 500 with the reason in text when the model fails, and the question is kept", async () => {
    upstream.script("echo", { times: 20, status: 400, message: "no such luck", afterwards: {} });
    const answer = await say({ session: "failing", message: "please" });
    upstream.script("echo", {});
    expect(answer.status).toBe(500);
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(answer.text).toMatch(/^LLM call failed: .*no such luck/s);
    expect((await history("session=failing"))[0]).toMatchObject({ role: "user", content: "please" });
  });
});

describe("the API document's flow: upload a file and reference it in chat", () => {
  it("the agent reads the text that was uploaded, by the path that the message names", async () => {
    const form = new FormData();
    form.append("file", new File(["the plan is alpha\n"], "notes.txt"));
    const { path } = (await (await gateway().fetch("/api/upload", { method: "POST", body: form })).json()) as {
      path: string;
    };
    const toolCalls = [{ name: "read_file", arguments: JSON.stringify({ path }) }];
    upstream.script("echo", { times: 1, toolCalls, afterwards: {} });
    await say({ session: "uploaded", message: "Read this file", media: path });
    upstream.script("echo", {});
    const [asked, , read] = await history("session=uploaded");
    expect(asked).toMatchObject({ content: `Read this file\n[file: ${path}]` });
    expect(read).toMatchObject({ role: "tool", content: "the plan is alpha" });
  });
});

describe("A10: GET /api/chat/history", () => {
  beforeAll(async () => {
    for (const message of ["one", "two", "three"]) await say({ session: "alpha", message });
  });
  const all = ["one", "echo: one", "two", "echo: two", "three", "echo: three"];
  const texts = async (query: string) => (await history(query)).map(({ content }) => content);

  it("obeys session, after and limit", async () => {
    const answer = await askAsOwner(gateway(), "/api/chat/history?session=alpha&after=2&limit=3");
    expect(answer.json()).toMatchObject({
      ok: true,
      session: "alpha",
      messages: [
        { role: "user", content: "two", seq: 3 },
        { role: "assistant", content: "echo: two", seq: 4 },
        { role: "user", content: "three", seq: 5 },
      ],
    });
  });

  it("obeys before and around; what is no number counts as absent; a range that is too long keeps its end", async () => {
    expect(await texts("session=alpha")).toEqual(all);
    expect(await texts("session=alpha&before=3")).toEqual(all.slice(0, 2));
    expect(await texts("session=alpha&around=3&limit=2")).toEqual(all.slice(2, 4));
    expect(await texts("session=alpha&limit=2")).toEqual(all.slice(4));
    expect(await texts("session=alpha&limit=x&after=-4&before=0")).toEqual(all);
  });

  it("is the empty list for a session that nobody knows, and main without a name", async () => {
    expect((await askAsOwner(gateway(), "/api/chat/history?session=ghost")).json()).toEqual({
      ok: true,
      session: "ghost",
      messages: [],
    });
    expect((await askAsOwner(gateway(), "/api/chat/history")).json()).toMatchObject({ session: "main" });
  });
});

describe("A15: GET /api/chat/live", () => {
  it("one frame in; the reply in chunks, then chat_done, then the end", async () => {
    upstream.script("echo", { text: "world", pieces: ["world"] });
    const live = await talk(gateway(), "/api/chat/live");
    live.say(JSON.stringify({ session: "live", message: "hello" }));
    expect(await live.frame()).toEqual({ ok: true, type: "chat_chunk", session: "live", delta: "world" });
    expect(await live.frame()).toMatchObject({ ok: true, type: "chat_done", session: "live" });
    expect(await live.ended).toBe(1000);
    expect(live.waiting).toEqual([]);
    upstream.script("echo", {});
    expect(await history("session=live")).toMatchObject([{ content: "hello" }, { content: "world" }]);
  });

  it("never cuts a character in two, however long the reply is (deliberate: ClawGo cut every 180 bytes)", async () => {
    const text = "贝壳网关".repeat(120);
    upstream.script("echo", { text, pieces: text.match(/.{1,7}/gu) as string[] });
    const live = await talk(gateway(), "/api/chat/live");
    live.say(JSON.stringify({ session: "han", message: "说" }));
    let said = "";
    for (let frame = await live.frame(); frame.type === "chat_chunk"; frame = await live.frame()) said += frame.delta;
    upstream.script("echo", {});
    expect(said).toBe(text);
  });

  it("an empty prompt gets chat_done alone", async () => {
    const live = await talk(gateway(), "/api/chat/live");
    live.say(JSON.stringify({ session: "quiet", message: "" }));
    expect(await live.frame()).toMatchObject({ ok: true, type: "chat_done", session: "quiet" });
    await live.ended;
    expect(live.waiting).toEqual([]);
  });

  it("says chat_error: `invalid json` without a session, the model's failure with it; then the end", async () => {
    const bad = await talk(gateway(), "/api/chat/live");
    bad.say("{");
    expect(await bad.frame()).toEqual({ ok: false, type: "chat_error", error: "invalid json" });
    await bad.ended;
    upstream.script("echo", { status: 400, message: "no such luck" });
    const failing = await talk(gateway(), "/api/chat/live");
    failing.say(JSON.stringify({ session: "s", message: "x" }));
    expect(await failing.frame()).toMatchObject({
      ok: false,
      type: "chat_error",
      session: "s",
      error: expect.stringContaining("no such luck") as unknown,
    });
    await failing.ended;
    upstream.script("echo", {});
  });
});

describe("1.10 GET /api/sessions", () => {
  it("A9: lists what people opened; the rest only with include_internal=1", async () => {
    const internal = ["internal:x", "heartbeat:main", "cron:1", "subagent:worker", "hook:h"];
    for (const session of ["review-api", "weixin:bot|user", ...internal]) await say({ session, message: "x" });
    const keys = async (query: string) =>
      ((await askAsOwner(gateway(), `/api/sessions${query}`)).json() as { sessions: { key: string }[] }).sessions.map(
        ({ key }) => key,
      );
    expect(await keys("")).toEqual(expect.arrayContaining(["review-api", "weixin:bot|user"]));
    for (const key of internal) expect(await keys("")).not.toContain(key);
    expect(await keys("?include_internal=1")).toEqual(expect.arrayContaining(internal));
  });

  it("names the channel before the colon", async () => {
    const { sessions } = (await askAsOwner(gateway(), "/api/sessions")).json() as { sessions: object[] };
    expect(sessions).toContainEqual(expect.objectContaining({ key: "weixin:bot|user", channel: "weixin" }));
  });
});
