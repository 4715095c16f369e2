/** The chat page as people use it, on a real gateway: replies that stream, messages that change, sessions, tools, files. */
import { describe, expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { choose, said, say, simulated, thread } from "./chat-kit.ts";
import { barriers, stage } from "./kit.ts";

const scene = stage();
const sim = simulated(scene);

const hostile = [
  "<script>document.title = 'gone'</script><img src=x onerror=\"document.title='gone'\"> <b>bold</b>",
  "[click](javascript:document.title='gone') [fine](https://example.org/a) ![pixel](https://evil.example/p.png)",
  "\u001b[31mred\u001b[0m \u202egnp.exe",
].join("\n\n");

describe("a conversation", () => {
  it("streams a reply, goes on after a reload in its middle, sends what waited, and keeps what was not sent", async () => {
    const pieces = Array.from({ length: 30 }, (_, index) => `word${index} `);
    sim.script("stream", { pieces, chunkMs: 50, usage: { prompt_tokens: 1200, completion_tokens: 40 } });
    const page = await scene.visit({ at: "#/chat/web:stream" });
    await choose(page, "sim/stream");
    await say(page, "one");
    await thread(page).getByText("word3 ").waitFor();
    await say(page, "two");
    await thread(page).getByText("Waiting for its turn").waitFor();
    await page.getByRole("textbox", { name: "Message" }).fill("three, a draft");
    await page.reload();
    await page.locator("chat-reply .facts", { hasText: "1.2K in, 40 out" }).nth(1).waitFor();
    const whole = pieces.join("").trim();
    expect(await said(page)).toEqual(["one", whole, "two", whole]);
    expect(await page.getByRole("textbox", { name: "Message" }).inputValue()).toBe("three, a draft");
    expect(sim.upstream.requests.filter(({ body }) => body?.model === "stream")).toHaveLength(2);
  });

  it("goes on when the gateway was restarted in the middle, and says nothing twice", async () => {
    sim.script("stream", { pieces: ["begun ", "and ", "ended"], chunkMs: 300 });
    const page = await scene.visit({
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

  it("stops, edits and sends again, writes the last reply again, and branches", async () => {
    const page = await scene.visit({ at: "#/chat/web:change" });
    await choose(page, "sim/echo");
    await say(page, "first");
    await thread(page).getByText("echo: first").waitFor();
    await say(page, "secnod");
    await thread(page).getByText("echo: secnod").waitFor();
    await page.getByRole("button", { name: "Edit and send again" }).nth(1).click();
    await page.getByText("Sending takes the place of this message").waitFor();
    await say(page, "second");
    await thread(page).getByText("echo: second").waitFor();
    expect(await said(page)).toEqual(["first", "echo: first", "second", "echo: second"]);
    sim.script("echo", { text: "another answer" });
    await page.getByRole("button", { name: "Write this reply again" }).click();
    await thread(page).getByText("another answer").waitFor();
    expect(await said(page)).toEqual(["first", "echo: first", "second", "another answer"]);
    await page.getByRole("button", { name: "Branch from here" }).first().click();
    await page.waitForURL((url) => !url.hash.includes("change"));
    await thread(page).getByText("echo: first").waitFor();
    expect(await said(page)).toEqual(["first", "echo: first"]);
    sim.script("echo", { fault: "endless" });
    await say(page, "go on for ever");
    await page.getByRole("button", { name: "Stop" }).waitFor();
    await page.getByRole("textbox", { name: "Message" }).press("Escape");
    await page.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });
    sim.script("echo", {});
  });

  it("shows why no model answered, and that the message is there all the same", async () => {
    const page = await scene.visit({ at: "#/chat/web:fault" });
    await choose(page, "sim/fault");
    await say(page, "hello");
    await thread(page).getByText("The reply failed:").waitFor();
    expect(await said(page)).toEqual(["hello"]);
    expect(await page.getByText("Not sent").count()).toBe(0);
  });

  it("shows hostile text as text", async () => {
    sim.script("rich", { text: hostile });
    const page = await scene.visit({ at: "#/chat/web:hostile" });
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
});

describe("tools and files", () => {
  it("asks before a tool runs, then shows what it was given and what came out", async () => {
    const page = await scene.visit({ at: "#/chat/web:tools" });
    await choose(page, "offline/offline");
    await say(page, '/tool exec {"command":"echo from-the-shell"}');
    await page.getByRole("heading", { name: "May exec run?" }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Allow once" }).click();
    await page.getByText("done", { exact: true }).waitFor();
    await page.locator("chat-tool summary").click();
    await page.locator("chat-tool ui-code").nth(1).getByText("from-the-shell").waitFor();
    expect(await page.getByRole("heading", { name: "May exec run?" }).count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
  });

  it("sends files and shows them again", async () => {
    const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const page = await scene.visit({ at: "#/chat/web:files" });
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

describe("the list of sessions", () => {
  it("finds sessions by name and by what was said, renames and deletes them, and marks what is new", async () => {
    const talk = (key: string, text: string) =>
      scene.call("sessions.import", {
        key,
        jsonl: `${JSON.stringify({ role: "user", content: text })}\n${JSON.stringify({ role: "assistant", content: "All right." })}\n`,
      });
    await talk("web:bread", "How do I bake bread with rye?");
    const page = await scene.visit({ at: "#/chat/web:bread" });
    await page.getByRole("heading", { name: "How do I bake bread" }).waitFor();
    await talk("web:tea", "Which tea goes with it?");
    const list = page.getByRole("navigation", { name: "Sessions" });
    await list.getByRole("link", { name: /Which tea.*New messages/ }).waitFor();
    await page.getByRole("searchbox").fill("rye");
    await page.getByRole("region", { name: "In messages" }).getByRole("link", { name: /rye/ }).click();
    await page.waitForURL(/at=1/);
    await page.locator(".entry.hit").getByText("rye").waitFor();
    await page.getByRole("searchbox").fill("");
    await list.getByRole("button", { name: "What to do with Which tea" }).click();
    await page.getByRole("menuitem", { name: "Rename" }).click();
    await page.getByRole("textbox", { name: "Name of the session" }).fill("Tea & cake");
    await page.getByRole("button", { name: "Save" }).click();
    await list.getByRole("link", { name: "Tea & cake" }).waitFor();
    await list.getByRole("button", { name: "What to do with Tea & cake" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.locator("ui-confirm").getByRole("button", { name: "Delete" }).click();
    await list.getByRole("link", { name: "Tea & cake" }).waitFor({ state: "detached" });
  });

  it("keeps few of ten thousand messages on the page, and finds one in the middle", async () => {
    const line = (role: string, content: string) => `${JSON.stringify({ role, content })}\n`;
    const pairs = Array.from(
      { length: 5000 },
      (_, index) => line("user", `question ${index + 1}`) + line("assistant", `answer ${index + 1}`),
    );
    const headers = { "content-type": "application/x-ndjson" };
    await scene.gateway.fetch("/api/sessions/import?key=web:long", { method: "POST", headers, body: pairs.join("") });
    const page = await scene.visit({ at: "#/chat/web:long" });
    await thread(page).getByText("question 5000").waitFor();
    await page.getByRole("region", { name: "Messages" }).hover();
    const first = () => page.locator(".entry").first().getAttribute("data-id");
    const seen = await first();
    await until(async () => {
      await page.mouse.wheel(0, -4000);
      return (await page.locator(".entry").count()) === 300 && (await first()) !== seen;
    }, 10_000);
    await page.goto(`${scene.gateway.url}/#/chat/web:long?at=4001`);
    await page.locator(".entry.hit").getByText("question 2001").waitFor();
    await page.getByRole("button", { name: "Newest messages" }).click();
    await thread(page).getByText("question 5000").waitFor();
    expect(await page.locator(".entry").count()).toBeLessThanOrEqual(300);
  });
});

describe("on a phone, in Chinese", () => {
  it("shows the sessions first, then one of them, and nothing that keeps people out", async () => {
    const page = await scene.visit({ at: "#/chat", phone: true, locale: "zh-CN", dark: true });
    await page.getByRole("heading", { name: "会话" }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "新对话" }).click();
    const box = page.getByRole("textbox", { name: "消息" });
    await box.fill("/echo 你好，**世界**");
    await box.press("Enter");
    await page.locator("ui-markdown strong", { hasText: "世界" }).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.getByRole("link", { name: "会话" }).click();
    await page.getByRole("link", { name: /你好/ }).waitFor();
  });
});
