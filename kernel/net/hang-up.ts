/**
 * Ends a connection in good manners: the last words go out, what still comes is read away, and after a moment it is gone
 * whatever the client does. Closing at once would reset it and take the last words along.
 */
import type { Duplex } from "node:stream";

const lingerMs = 1000;

export function hangUp(socket: Duplex, lastWords: string): void {
  const stop = () => socket.destroy();
  const timer = setTimeout(stop, lingerMs);
  socket.once("close", () => clearTimeout(timer));
  socket.once("end", () => (socket.writableFinished ? stop() : socket.once("finish", stop)));
  socket.resume().end(lastWords);
}
