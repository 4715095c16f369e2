/** A whole gateway in its own process before an upstream that does everything wrong: each face says what happened, nothing is lost, and the next request is served. */

import { writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { connectTo } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";

interface Place {
  readonly gateway: RunningGateway;
  readonly upstream: Upstream;
}

async function place(): Promise<Place> {
  const upstream = await startUpstream({ key: "sk-upstream" });
  onTestFinished(() => upstream.close());
  const stateDir = tempDir("upstream");
  const sim = { api_base: upstream.base, api_key: "sk-upstream", models: ["main", "*"], timeout_sec: 0.3 };
  const config = { models: { request_timeout_sec: 1, providers: { sim } } };
  writeFileSync(join(stateDir, "config.json"), JSON.stringify(config));
  return { gateway: await startGateway({ stateDir }), upstream };
}

const messages = [{ role: "user", content: "hello there" }];

async function ask({ gateway }: Place, path: string, body: object, headers: Record<string, string> = {}) {
  const init = {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  };
  const reply = await gateway.fetch(path, init);
  const text = await reply.text().catch(() => "cut off");
  return { status: reply.status, text, retryAfter: reply.headers.get("retry-after") };
}

const completion = (at: Place, model: string, stream: boolean, agent: boolean) =>
  agent
    ? ask(at, "/v1/chat/completions", { model: "chela", messages, stream }, { "x-openclaw-model": `sim/${model}` })
    : ask(at, "/v1/chat/completions", { model: `sim/${model}`, messages, stream });

interface Row {
  readonly role: string;
  readonly content: string;
  readonly state: string;
}

async function history({ gateway }: Place, session: string): Promise<string[][]> {
  const reply = await gateway.fetch(`/api/chat/history?session=${session}`);
  const { messages: rows } = (await reply.json()) as { messages: Row[] };
  return rows.map(({ role, content, state }) => [role, content, state]);
}

/** The model of the simulator, the status before the first byte. */
const refusals = [
  ["bad", 400],
  ["auth", 401],
  ["forbidden", 403],
  ["missing", 404],
  ["large", 413],
  ["rate", 429],
  ["fault", 502],
  ["html", 502],
  ["page", 502],
  ["redirect", 502],
  ["dead", 502],
  ["hang", 504],
] as const;

/** Those that answer 200 and then break: what a stream of ours ends with. */
const breaks = ["hang-stream", "cut", "cut-clean", "stream-error", "endless"] as const;

describe("an upstream that", () => {
  it("refuses or cannot be reached: the status says so before the first byte, through every face", async () => {
    const at = await place();
    for (const [model, status] of refusals) {
      for (const stream of [false, true]) {
        for (const agent of [false, true]) {
          const answer = await completion(at, model, stream, agent);
          const what = `${model}, stream ${stream}, agent ${agent}: ${answer.text}`;
          expect(answer.status, what).toBe(status);
          expect(JSON.parse(answer.text), what).toMatchObject({
            error: { message: expect.any(String), type: expect.any(String) },
          });
          if (status === 429) expect(answer.retryAfter).toBe("7");
          expect(answer.text).not.toContain("sk-upstream");
        }
      }
    }
    expect((await completion(at, "main", false, false)).status).toBe(200);
  });

  it("breaks off in the middle: no face calls that complete", async () => {
    const at = await place();
    for (const model of breaks) {
      for (const agent of [false, true]) {
        const { status, text } = await completion(at, model, true, agent);
        expect(status, model).toBe(200);
        expect(text, model).not.toMatch(/"finish_reason":"stop"/);
        expect(text, model).not.toContain("[DONE]");
        if (model !== "cut-clean" && text !== "cut off")
          expect(text.trimEnd().split("\n\n").at(-1)).toContain('"error"');
      }
      if (model === "stream-error" || model === "endless") continue;
      expect((await completion(at, model, false, false)).status, model).toBeGreaterThanOrEqual(502);
    }
    expect((await completion(at, "main", true, true)).text).toContain('"finish_reason":"stop"');
  });

  it("fails a turn of /api/chat: ClawGo's words, the user's message and the partial reply are kept and marked", async () => {
    const at = await place();
    const faults = [...refusals.map(([model]) => model), ...breaks, "broken"];
    for (const model of faults) {
      at.upstream.script("main", { ...(await behaviour(model)) });
      const { status, text } = await ask(at, "/api/chat", { session: model, message: "hello there" });
      expect(status, `${model}: ${text}`).toBe(500);
      expect(text).toMatch(/^LLM call failed: sim\/main/);
      const [user, partial, ...more] = await history(at, model);
      expect(user).toEqual(["user", "hello there", "complete"]);
      expect(more).toEqual([]);
      if (partial) expect(partial).toEqual(["assistant", "echo: hello ", "partial"]);
      expect(partial !== undefined, model).toBe([...breaks, "broken"].includes(model as never));
    }
    at.upstream.script("main", {});
    const again = await ask(at, "/api/chat", { session: "cut", message: "and again" });
    expect(JSON.parse(again.text)).toMatchObject({ ok: true, reply: "echo: and again" });
  });
});

describe("a client that leaves in the middle", () => {
  it("of a turn with a session: the upstream is let go, what had been said is kept and marked", async () => {
    const at = await place();
    at.upstream.script("slow-stream", { pieces: ["one ", "two ", "three "], chunkMs: 250 });
    await leaveAfter(at, "one ", { "x-openclaw-session-key": "desk", "x-openclaw-model": "sim/slow-stream" });
    await until(() => at.upstream.requests[0]?.aborted, 3000, "the abort at the upstream");
    const rows = await until(async () => {
      const found = await history(at, "desk");
      return found.length === 2 && found;
    });
    expect(rows).toEqual([
      ["user", "hello there", "complete"],
      ["assistant", expect.stringMatching(/^one /), "partial"],
    ]);
    const next = await ask(at, "/api/chat", { session: "desk", message: "still there?" });
    expect(next.status).toBe(200);
  });

  it("of /api/chat/live goes on by itself; an abort frame stops it, the upstream too, and the part is kept", async () => {
    const at = await place();
    at.upstream.script("main", { pieces: ["one ", "two ", "three "], chunkMs: 150 });
    const target = `${at.gateway.url.replace("http", "ws")}/api/chat/live`;
    const headers = { authorization: `Bearer ${at.gateway.token}` };
    const leaver = await connectTo(target, headers);
    leaver.send({ session: "left", message: "hello there" });
    await leaver.next();
    leaver.close();
    const stopper = await connectTo(target, headers);
    stopper.send({ session: "stopped", message: "hello there" });
    await stopper.next();
    stopper.send({ type: "abort" });
    expect(await stopper.next()).toMatchObject({ type: "chat_done", stop: "aborted" });
    await until(() => at.upstream.requests[1]?.aborted, 3000, "the abort at the upstream");
    expect((await history(at, "stopped")).at(-1)).toEqual(["assistant", expect.stringMatching(/^one /), "partial"]);
    await until(async () => (await history(at, "left")).length === 2, 5000, "the turn of who left");
    expect((await history(at, "left")).at(-1)).toEqual(["assistant", "one two three ", "complete"]);
  });
});

async function behaviour(model: string) {
  const { models } = await import("../simulators/openai/behaviour.ts");
  return models[model] ?? {};
}

/** A streamed turn whose client resets its connection once it has read `text`. */
function leaveAfter({ gateway }: Place, text: string, headers: Record<string, string>): Promise<void> {
  const { port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    const options = {
      port,
      method: "POST",
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${gateway.token}`, ...headers },
    };
    const req = httpRequest(options, (res) => {
      res.on("error", () => undefined);
      res.on("data", (chunk: Buffer) => {
        if (!chunk.includes(text)) return;
        req.socket?.resetAndDestroy();
        resolve();
      });
    });
    req.on("error", reject);
    req.end(JSON.stringify({ model: "chela", messages, stream: true }));
  });
}
