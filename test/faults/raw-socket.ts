/** One TCP connection that writes what it is told to, when it is told to, and remembers what came back. */
import { connect } from "node:net";
import { onTestFinished } from "vitest";

export interface RawSocket {
  write(bytes: string | Uint8Array): void;
  /** Everything received so far, as latin1. */
  text(): string;
  /** The other side will send no more. */
  ended(): boolean;
  /** Gone in both directions. */
  closed(): boolean;
  /** Stops reading. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

/** Tests that run side by side hand over their own `onTestFinished`. */
export type AtEnd = (work: () => void) => void;

/** Keeps its own half open until the test ends. */
export function openRaw(url: string, atEnd: AtEnd = onTestFinished): RawSocket {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  atEnd(() => void socket.destroy());
  const seen = { text: "", ended: false, closed: false };
  socket.on("data", (chunk) => {
    seen.text += chunk.toString("latin1");
  });
  socket.on("end", () => {
    seen.ended = true;
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    seen.closed = true;
    seen.ended = true;
  });
  return {
    write: (bytes) => {
      if (socket.destroyed || !socket.writable) return;
      socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    },
    text: () => seen.text,
    ended: () => seen.ended,
    closed: () => seen.closed,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
  };
}
