/** A WebSocket client for tests: frames as objects, in order, awaited with a deadline. */
import type { Duplex } from "node:stream";
import type { ClientOptions } from "ws";

export interface SocketOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection to speak on, instead of one of TCP. */
  readonly createConnection?: () => Duplex;
}

export interface TestSocket {
  send(value: unknown): void;
  /** The next frame, parsed. Rejects when the socket closes or nothing comes within `ms` (default 5,000). */
  next(ms?: number): Promise<unknown>;
  /** Resolves with code and reason once closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): void;
  /** Stops reading, as a slow client does. */
  pause(): void;
}

/** Rejects with `HTTP <status>` when the upgrade is refused. */
export async function openSocket(url: string, options: SocketOptions): Promise<TestSocket> {
  const { WebSocket } = await import("ws");
  const ws = new WebSocket(url, options as ClientOptions);
  const frames: unknown[] = [];
  const waiting: ((frame: unknown) => void)[] = [];
  ws.on("message", (data) => {
    const frame: unknown = JSON.parse(String(data));
    const deliver = waiting.shift();
    if (deliver) deliver(frame);
    else frames.push(frame);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    ws.once("open", resolve);
    ws.once("error", reject);
    ws.once("unexpected-response", (_req, res) => reject(new Error(`HTTP ${res.statusCode}`)));
  });
  ws.on("error", () => ws.terminate());
  return {
    send: (value) => ws.send(typeof value === "string" ? value : JSON.stringify(value)),
    next: (ms = 5000) => {
      if (frames.length > 0) return Promise.resolve(frames.shift());
      return new Promise((resolve, reject) => {
        const deliver = (frame: unknown) => {
          clearTimeout(timer);
          resolve(frame);
        };
        const timer = setTimeout(() => {
          // The next frame is for whoever asks next.
          waiting.splice(waiting.indexOf(deliver), 1);
          reject(new Error(`no frame within ${ms} ms`));
        }, ms);
        waiting.push(deliver);
        void closed.then(({ code }) => {
          clearTimeout(timer);
          reject(new Error(`the socket closed (${code})`));
        });
      });
    },
    closed,
    close: () => ws.close(),
    pause: () => ws.pause(),
  };
}
