/**
 * A whole turn on the offline model, in the built program: it reads a file, edits it, runs a command after somebody approved
 * it, and reports; asked through the live chat and through the OpenAI API.
 */
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { type RunningGateway, startGateway } from "../kit/gateway.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";

type Frame = Record<string, unknown> & { type: string };

/** A gateway with a file in its workspace. */
async function demo(): Promise<{ gateway: RunningGateway; notes: string }> {
  const stateDir = tempDir("demo");
  const notes = join(stateDir, "workspace", "notes.txt");
  mkdirSync(join(stateDir, "workspace"), { recursive: true });
  writeFileSync(notes, "buy milk\n");
  return { gateway: await startGateway({ stateDir }), notes };
}

async function connect({ url, token }: RunningGateway, path: string): Promise<{ socket: WebSocket; frames: Frame[] }> {
  const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  socket.on("message", (data) => frames.push(JSON.parse(String(data)) as Frame));
  await once(socket, "open");
  return { socket, frames };
}

/** Approves every call that is asked for, and keeps what it read. */
async function approver(gateway: RunningGateway): Promise<Frame[]> {
  const { socket } = await connect(gateway, "/api/approvals/live");
  const seen: Frame[] = [];
  socket.on("message", (data) => {
    const frame = JSON.parse(String(data)) as Frame;
    if (frame.type !== "approval_requested") return;
    const approval = (frame.approval ?? frame) as Frame & { id: string; hash: string };
    seen.push(approval);
    socket.send(JSON.stringify({ id: approval.id, hash: approval.hash, decision: "allow" }));
  });
  return seen;
}

const script = [
  "/steps",
  'read_file {"path":"notes.txt"}',
  'edit_file {"path":"notes.txt","old_text":"buy milk","new_text":"buy milk and bread"}',
  'exec {"command":"cat","args":["notes.txt"]}',
  "say The file now says: {{last}}",
].join("\n");

describe("reads, edits, runs after approval, reports", { timeout: 90_000 }, () => {
  it("through /api/chat/live", async () => {
    const { gateway, notes } = await demo();
    const seen = await approver(gateway);
    const { socket, frames } = await connect(gateway, "/api/chat/live?events=1");
    socket.send(JSON.stringify({ session: "demo", message: script }));
    await until(() => frames.find(({ type }) => type === "chat_done" || type === "chat_error"), 30_000);
    const text = frames.flatMap(({ type, delta }) => (type === "chat_chunk" ? [delta] : [])).join("");
    expect(text).toContain("The file now says:");
    expect(text).toContain("buy milk and bread");
    const calls = frames.filter(({ type }) => type === "chat_tool").map(({ name, state }) => `${name} ${state}`);
    expect(calls).toEqual(["read_file", "edit_file", "exec"].flatMap((name) => [`${name} run`, `${name} ok`]));
    expect(seen).toMatchObject([{ tool: "exec", input: expect.stringContaining("notes.txt"), session: "demo" }]);
    expect(readFileSync(notes, "utf8")).toBe("buy milk and bread\n");
  });

  it("through /v1/chat/completions", async () => {
    const { gateway } = await demo();
    const seen = await approver(gateway);
    const reply = await gateway.fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "chela", messages: [{ role: "user", content: script }] }),
    });
    const body = (await reply.json()) as { choices: { message: { content: string } }[] };
    expect(body.choices[0]?.message.content).toContain("buy milk and bread");
    expect(seen).toHaveLength(1);
  });

  it("and does not run what nobody approves", async () => {
    const { gateway, notes } = await demo();
    const message = '/steps\nexec {"command":"rm","args":["notes.txt"]}\nsay {{last}}';
    const reply = await gateway.fetch("/api/chat", {
      method: "POST",
      body: JSON.stringify({ session: "alone", message }),
    });
    expect(((await reply.json()) as { reply: string }).reply).toMatch(/denied/i);
    expect(readFileSync(notes, "utf8")).toBe("buy milk\n");
  });
});
