/**
 * A WebSocket that comes back by itself: pauses grow to 8 s, are spread out, and end at once when the network returns. They
 * begin anew once a connection has held for a while: one that is cut as soon as it is there must not be a storm.
 */
import { socketAddress } from "./address.ts";

export interface LiveHandlers {
  /** Each time it opened: say here what the gateway has to know again. */
  opened?(): void;
  frame(frame: Record<string, unknown>): void;
  closed?(code: number): void;
}

/** The gateway closes with this what was opened with a credential that is gone. */
export const credentialGone = 4001;

const longestPause = 8000;
const steadyMs = 3000;

export class LiveSocket {
  readonly #path: () => string;
  readonly #handlers: LiveHandlers;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #wanted = false;

  constructor(path: () => string, handlers: LiveHandlers) {
    this.#path = path;
    this.#handlers = handlers;
  }

  /** Opened, and not closed by hand: it is there or comes back. */
  get isWanted(): boolean {
    return this.#wanted;
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  open(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#failures = 0;
    addEventListener("online", this.#now);
    this.#connect();
  }

  close(): void {
    this.#wanted = false;
    removeEventListener("online", this.#now);
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    // Browsers complain of a handshake that is broken off.
    if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(1000);
    else socket?.close(1000);
  }

  /** False when it is not open: nothing is kept for later. */
  send(frame: unknown): boolean {
    if (!this.isOpen) return false;
    this.#socket?.send(JSON.stringify(frame));
    return true;
  }

  /** Does not wait out the pause. */
  retry(): void {
    this.#now();
  }

  readonly #now = (): void => {
    if (!this.#wanted || this.#socket !== undefined) return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  #connect(): void {
    const socket = new WebSocket(socketAddress(this.#path()));
    this.#socket = socket;
    let opened = Number.POSITIVE_INFINITY;
    socket.onopen = () => {
      opened = performance.now();
      this.#handlers.opened?.();
    };
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#handlers.frame(JSON.parse(String(data)) as Record<string, unknown>);
    };
    socket.onclose = ({ code }) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      if (performance.now() - opened > steadyMs) this.#failures = 0;
      this.#handlers.closed?.(code);
      if (this.#wanted) this.#timer = setTimeout(this.#now, this.#pause());
    };
  }

  #pause(): number {
    const pause = Math.min(longestPause, 200 * 2 ** this.#failures);
    this.#failures += 1;
    return pause * (0.5 + Math.random() / 2);
  }
}
