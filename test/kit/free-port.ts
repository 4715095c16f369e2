/** A port of this machine for a server that has to know it beforehand. */
import { createServer } from "node:net";

/** A port of 127.0.0.1 that was free a moment ago: an address that a server has to know beforehand. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
