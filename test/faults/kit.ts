/** What the tests ask of a gateway in another process, over its public doors. */
import { expect } from "vitest";
import type { RunningGateway } from "../kit/gateway.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

async function post(gateway: RunningGateway, path: string, body: unknown): Promise<Answer> {
  const reply = await gateway.fetch(path, { method: "POST", body: JSON.stringify(body) });
  return { status: reply.status, text: await reply.text() };
}

export function call(gateway: RunningGateway, method: string, params: object = {}): Promise<Answer> {
  return post(gateway, "/api/call", { method, params });
}

/** The result of a call that must succeed. */
export async function result<T>(gateway: RunningGateway, method: string, params: object = {}): Promise<T> {
  const { status, text } = await call(gateway, method, params);
  expect(status, text).toBe(200);
  return (JSON.parse(text) as { result: T }).result;
}

export function writeConfig(gateway: RunningGateway, value: object): Promise<Answer> {
  return post(gateway, "/api/config", value);
}

export function chat(gateway: RunningGateway, message: string, session = "main"): Promise<Answer> {
  return post(gateway, "/api/chat", { session, message });
}

export async function history(gateway: RunningGateway, session = "main"): Promise<string[]> {
  const reply = await gateway.fetch(`/api/chat/history?session=${session}&limit=2000`);
  return ((await reply.json()) as { messages: { content: string }[] }).messages.map(({ content }) => content);
}

/** Asks it to stop, which it must do in good order. */
export async function stop(gateway: RunningGateway): Promise<void> {
  gateway.signal("SIGTERM");
  expect(await gateway.ended, gateway.output().stderr.slice(-2000)).toBe(0);
}

export interface Row {
  readonly id: string;
  readonly state: string;
  readonly reason: string;
}

export async function plugin(gateway: RunningGateway, id: string): Promise<Row | undefined> {
  return (await result<Row[]>(gateway, "plugins.list")).find((row) => row.id === id);
}
