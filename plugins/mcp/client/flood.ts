/** How much a server may say: in one message, and unasked, counted in windows of ten seconds. Beyond that the connection is given up. */
import { GatewayError } from "@chela/sdk";

export const maxMessageBytes = 16 * 1024 * 1024;
const windowMs = 10_000;
const limits = { messages: 5000, junk: 1000, bytes: 256 * 1024 * 1024 };

export class Flood {
  readonly #now: () => number;
  #from = 0;
  #counts = { messages: 0, junk: 0, bytes: 0 };

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Throws `MCP_FLOOD` when it is too much. */
  count(what: keyof typeof limits, amount: number): void {
    const now = this.#now();
    if (now - this.#from >= windowMs) {
      this.#from = now;
      this.#counts = { messages: 0, junk: 0, bytes: 0 };
    }
    this.#counts[what] += amount;
    if (this.#counts[what] <= limits[what]) return;
    const said = { messages: "messages nobody asked for", junk: "lines that are no messages", bytes: "bytes" }[what];
    throw new GatewayError("MCP_FLOOD", 502, `it sent more than ${limits[what]} ${said} within ${windowMs / 1000} s`);
  }
}
