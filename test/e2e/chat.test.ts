/** The chat page as people use it, on a real gateway: replies that stream, messages that change, sessions, tools, files. */
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { said, simulated, talking } from "./chat-kit.ts";
import { barriers, isTooWide, type Reader, readers, stage } from "./kit.ts";
import { compact, pattern } from "./words.ts";

const scene = stage();
const sim = simulated(scene);

const hostile = [
  "<script>document.title = 'gone'</script><img src=x onerror=\"document.title='gone'\"> <b>bold</b>",
  "[click](javascript:document.title='gone') [fine](https://example.org/a) ![pixel](https://evil.example/p.png)",
  "\u001b[31mred\u001b[0m \u202egnp.exe",
].join("\n\n");

describe.each(readers)("a conversation, $name,", (reader) => {
  const { w, ...look } = reader;
  const { say, choose, thread } = talking(reader);
  const session = (name: string) => `web:${name}-${look.locale}`;

  it("streams a reply, goes on after a reload in its middle, sends what waited, and keeps what was not sent", async () => {
    const asked = () => sim.upstream.requests.filter(({ body }) => body?.model === "stream").length;
    const before = asked();
    const pieces = Array.from({ length: 30 }, (_, index) => `word${index} `);
    const usage = { prompt_tokens: 1200, completion_tokens: 40 };
    sim.script("stream", { pieces, chunkMs: 200, usage });
    const page = await scene.visit({ ...look, at: `#/chat/${session("stream")}` });
    await choose(page, "sim/stream");
    await say(page, "one");
    await thread(page).getByText("word3 ").waitFor();
    await say(page, "two");
    await thread(page).getByText(w("chat.sent.waiting")).waitFor();
    sim.script("stream", { pieces, chunkMs: 10, usage });
    await page.getByRole("textbox", { name: w("chat.message") }).fill("three, a draft");
    await page.reload();
    await page
      .locator("chat-reply .facts", {
        hasText: w("chat.tokens", {
          input: compact(1200, look.locale),
          output: 40,
        }),
      })
      .nth(1)
      .waitFor();
    const whole = pieces.join("").trim();
    expect(await said(page)).toEqual(["one", whole, "two", whole]);
    expect(await page.getByRole("textbox", { name: w("chat.message") }).inputValue()).toBe("three, a draft");
    expect(asked()).toBe(before + 2);
  });

  it("stops, edits and sends again, writes the last reply again, and branches", async () => {
    const page = await scene.visit({ ...look, at: `#/chat/${session("change")}` });
    await choose(page, "sim/echo");
    await say(page, "first");
    await thread(page).getByText("echo: first").waitFor();
    await say(page, "secnod");
    await thread(page).getByText("echo: secnod").waitFor();
    const box = page.getByRole("textbox", { name: w("chat.message") });
    await box.fill("a draft");
    const edit = page.getByRole("button", { name: w("chat.edit") }).nth(1);
    await edit.click();
    await page.getByText(w("chat.editing")).waitFor();
    await box.press("Escape");
    expect(await box.inputValue()).toBe("a draft");
    await edit.click();
    await say(page, "second");
    await thread(page).getByText("echo: second").waitFor();
    expect(await said(page)).toEqual(["first", "echo: first", "second", "echo: second"]);
    expect(await page.getByRole("textbox", { name: w("chat.message") }).inputValue()).toBe("a draft");
    sim.script("echo", { text: "another answer" });
    await page.getByRole("button", { name: w("chat.regenerate") }).click();
    await thread(page).getByText("another answer").waitFor();
    expect(await said(page)).toEqual(["first", "echo: first", "second", "another answer"]);
    await page
      .getByRole("button", { name: w("chat.branch") })
      .first()
      .click();
    await page.waitForURL((url) => !url.hash.includes("change"));
    await thread(page).getByText("echo: first").waitFor();
    expect(await said(page)).toEqual(["first", "echo: first"]);
    // Each session keeps its own choice.
    await choose(page, "sim/rich");
    await page.goBack();
    await thread(page).getByText("another answer").waitFor();
    expect(await page.getByLabel(w("chat.model"), { exact: true }).inputValue()).toBe("sim/echo");
    await page.goForward();
    await choose(page, "sim/echo");
    sim.script("echo", { fault: "endless" });
    await say(page, "go on for ever");
    await page.getByRole("button", { name: w("chat.stop") }).waitFor();
    await page.getByRole("textbox", { name: w("chat.message") }).press("Escape");
    await page.getByRole("button", { name: w("chat.stop") }).waitFor({ state: "detached" });
    sim.script("echo", {});
  });

  it("shows why no model answered, and that the message is there all the same", async () => {
    const page = await scene.visit({ ...look, at: `#/chat/${session("fault")}` });
    await choose(page, "sim/fault");
    await say(page, "hello");
    await thread(page)
      .getByText(pattern(w("chat.failed")))
      .waitFor();
    expect(await said(page)).toEqual(["hello"]);
    expect(await page.getByText(pattern(w("chat.sent.failed"))).count()).toBe(0);
  });
});

describe.each(readers)("tools and files, $name,", (reader) => {
  const { w, ...look } = reader;
  const { say, choose, thread } = talking(reader);
  const session = (name: string) => `web:${name}-${look.locale}`;

  it("asks before a tool runs, then shows what it was given and what came out", async () => {
    const page = await scene.visit({ ...look, at: `#/chat/${session("tools")}` });
    await choose(page, "offline/offline");
    await say(page, '/tool exec {"command":"echo from-the-shell"}');
    await page.getByRole("heading", { name: w("chat.approval", { tool: "exec" }) }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: w("chat.approval.allow") }).click();
    await page.getByText(w("chat.tool.ok"), { exact: true }).waitFor();
    await page.locator("chat-tool summary").click();
    await page.locator("chat-tool ui-code").nth(1).getByText("from-the-shell").waitFor();
    expect(await page.getByRole("heading", { name: w("chat.approval", { tool: "exec" }) }).count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
  });

  it("sends files and shows them again", async () => {
    const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const page = await scene.visit({ ...look, at: `#/chat/${session("files")}` });
    await choose(page, "sim/echo");
    await page.locator("input[type=file]").setInputFiles([
      { name: "dot.png", mimeType: "image/png", buffer: Buffer.from(pixel, "base64") },
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("some notes") },
    ]);
    await page.getByRole("img", { name: "dot.png" }).waitFor();
    await say(page, "look at these");
    await thread(page).getByText("echo:").waitFor();
    await page.reload();
    await page.locator("chat-user").getByRole("img", { name: "dot.png" }).waitFor();
    await page.locator("chat-user").getByRole("button", { name: "notes.txt" }).waitFor();
    expect(await page.locator("chat-user .bubble").textContent()).toBe("look at these");
  });
});

describe.each(readers)("the list of sessions, $name,", ({ w, ...look }) => {
  const session = (name: string) => `web:${name}-${look.locale}`;

  it("finds sessions by name and by what was said, renames and deletes them, and marks what is new", async () => {
    const talk = (key: string, text: string) =>
      scene.call("sessions.import", {
        key,
        jsonl: `${JSON.stringify({ role: "user", content: text })}\n${JSON.stringify({ role: "assistant", content: "All right." })}\n`,
      });
    await talk(session("bread"), "How do I bake bread with rye?");
    const page = await scene.visit({ ...look, at: `#/chat/${session("bread")}` });
    await page.getByRole("heading", { name: "How do I bake bread" }).waitFor();
    await talk(session("tea"), "Which tea goes with it?");
    const list = page.getByRole("navigation", { name: w("chat.sessions") });
    const toList = async () => {
      if (look.phone) await page.getByRole("link", { name: w("chat.sessions") }).click();
    };
    await toList();
    await list.getByRole("link", { name: pattern("Which tea", w("chat.unread")) }).waitFor();
    await page.getByRole("searchbox").fill("rye");
    await page
      .getByRole("region", { name: w("chat.search.said") })
      .getByRole("link", { name: /rye/ })
      .click();
    await page.waitForURL(/at=1/);
    await page.locator(".entry.hit").getByText("rye").waitFor();
    await toList();
    await page.getByRole("searchbox").fill("");
    await list.getByRole("button", { name: w("chat.session.menu", { name: "Which tea goes with it?" }) }).click();
    await page.getByRole("menuitem", { name: w("chat.rename") }).click();
    await page.getByRole("textbox", { name: w("chat.rename.name") }).fill("Tea & cake");
    await page.getByRole("button", { name: w("ui.save") }).click();
    await list.getByRole("link", { name: "Tea & cake" }).waitFor();
    await list.getByRole("button", { name: w("chat.session.menu", { name: "Tea & cake" }) }).click();
    await page.getByRole("menuitem", { name: w("ui.delete") }).click();
    await page
      .locator("ui-confirm")
      .getByRole("button", { name: w("ui.delete") })
      .click();
    await list.getByRole("link", { name: "Tea & cake" }).waitFor({ state: "detached" });
    await scene.call("sessions.remove", { key: session("bread") });
  });
});

describe.each(readers)("the first conversation, $name,", (reader) => {
  const { w, ...look } = reader;

  it("begins in the dark, with nothing that keeps people out", async () => {
    const page = await scene.visit({ ...look, at: "#/chat", dark: true });
    await page.getByRole("heading", { name: w("chat.sessions") }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: w("chat.new") }).click();
    await talking(reader).say(page, "/echo 你好，**世界**");
    await page.locator("ui-markdown strong", { hasText: "世界" }).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);
    if (look.phone) await page.getByRole("link", { name: w("chat.sessions") }).click();
    await page.getByRole("link", { name: /你好/ }).first().waitFor();
  });
});

describe("what is the same in any language", () => {
  const reader = readers[0] as Reader;
  const { w, ...look } = reader;
  const { say, choose, thread } = talking(reader);

  it("goes on when the gateway was restarted in the middle, and says nothing twice", async () => {
    sim.script("stream", { pieces: ["begun ", "and ", "ended"], chunkMs: 300 });
    const page = await scene.visit({
      ...look,
      at: "#/chat/web:restart",
      allow: /ERR_CONNECTION_REFUSED|WebSocket|Failed to load resource/,
    });
    await choose(page, "sim/stream");
    await say(page, "one");
    await thread(page).getByText("begun").waitFor();
    await scene.stop();
    await say(page, "two");
    await scene.startAgain();
    await page.locator("chat-reply", { hasText: "begun and ended" }).nth(1).waitFor();
    expect(await said(page)).toEqual(["one", "begun and ended", "two", "begun and ended"]);
    const { messages } = await scene.call<{ messages: { role: string }[] }>("chat.history", { session: "web:restart" });
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
  });

  it("shows hostile text as text", async () => {
    sim.script("rich", { text: hostile });
    const page = await scene.visit({ ...look, at: "#/chat/web:hostile" });
    await choose(page, "sim/rich");
    await say(page, "<img src=x onerror=alert(1)> \u001b[31m");
    await thread(page).getByText("fine").waitFor();
    const markdown = page.locator("ui-markdown .md");
    expect(await markdown.textContent()).toContain("<script>document.title");
    expect(await markdown.textContent()).toMatch(/red .?U\+202E.?gnp\.exe/);
    expect(await markdown.locator("img, script").count()).toBe(0);
    const links = markdown.locator("a[href]");
    expect(await links.evaluateAll((all) => all.map((one) => one.getAttribute("href")))).toEqual([
      "https://example.org/a",
      "https://evil.example/p.png",
    ]);
    expect(await links.first().getAttribute("rel")).toBe("noopener noreferrer nofollow");
    expect(await page.title()).toContain("Chela");
  });

  it("keeps few of ten thousand messages on the page, and finds one in the middle", async () => {
    const line = (role: string, content: string) => `${JSON.stringify({ role, content })}\n`;
    const pairs = Array.from(
      { length: 5000 },
      (_, index) => line("user", `question ${index + 1}`) + line("assistant", `answer ${index + 1}`),
    );
    const headers = { "content-type": "application/x-ndjson" };
    await scene.gateway.fetch("/api/sessions/import?key=web:long", { method: "POST", headers, body: pairs.join("") });
    const page = await scene.visit({ ...look, at: "#/chat/web:long" });
    await thread(page).getByText("question 5000").waitFor();
    await page.getByRole("region", { name: w("chat.messages") }).hover();
    const first = () => page.locator(".entry").first().getAttribute("data-id");
    const seen = await first();
    await until(async () => {
      await page.mouse.wheel(0, -4000);
      return (await page.locator(".entry").count()) === 300 && (await first()) !== seen;
    }, 10_000);
    await page.goto(`${scene.gateway.url}/#/chat/web:long?at=4001`);
    await page.locator(".entry.hit").getByText("question 2001").waitFor();
    await page.getByRole("button", { name: w("chat.newest") }).click();
    await thread(page).getByText("question 5000").waitFor();
    expect(await page.locator(".entry").count()).toBeLessThanOrEqual(300);
  });

  it("takes files that are dropped anywhere on a conversation, as many as a message may have", async () => {
    const page = await scene.visit({ ...look, at: "#/chat/web:drop" });
    await page.locator("chat-thread").evaluate((element) => {
      const dataTransfer = new DataTransfer();
      for (let n = 0; n < 33; n += 1) dataTransfer.items.add(new File([`${n}`], `many${n}.txt`));
      const how = { dataTransfer, bubbles: true, composed: true, cancelable: true };
      for (const type of ["dragover", "drop"]) element.dispatchEvent(new DragEvent(type, how));
    });
    await page.getByText(w("chat.attach.most", { n: 32 })).waitFor();
    await page.getByRole("button", { name: /^many31\.txt/ }).waitFor();
    expect(await page.getByRole("button", { name: /^many/ }).count()).toBe(32);
  });
});
