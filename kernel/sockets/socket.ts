/**
 * One open WebSocket as a plugin sees it. Frames in are parsed, validated and queued within bounds; frames out are
 * refused once the client stops reading. It lives until either side closes, whatever `open` does.
 */
import { type Credentials, GatewayError, type Identity, messageOf, type Socket } from "@chela/sdk";
import type { WebSocket } from "ws";
import type { GatewaySettings } from "../config/gateway-schema.ts";
import type { FaultReporter } from "../hooks.ts";
import type { Owned } from "../host/compose.ts";
import { parseJson } from "../http/body.ts";
import type { AnyStream } from "../instance/instance.ts";
import { openController } from "../signals.ts";
import { Inbox } from "./inbox.ts";

export interface SocketParts {
  readonly id: string;
  readonly ws: WebSocket;
  readonly found: Owned<AnyStream>;
  readonly identity: Identity;
  readonly credentials: Credentials;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Socket["headers"];
  readonly settings: GatewaySettings;
  /** Throws or rejects where the sender may not ask any more now. */
  readonly authorize: () => Promise<void> | undefined;
  readonly report: FaultReporter;
}

const closeDeadlineMs = 1000;
const queuedFrames = 256;

export class LiveSocket implements Socket {
  readonly id: string;
  readonly identity: Identity;
  readonly credentials: Credentials;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Socket["headers"];
  readonly address: string;
  readonly path: string;
  readonly #parts: SocketParts;
  readonly #ws: WebSocket;
  readonly #abort = openController();
  readonly #inbox: Inbox<unknown>;
  #alive = true;
  #asked = false;

  constructor(parts: SocketParts) {
    this.#parts = parts;
    this.#ws = parts.ws;
    this.id = parts.id;
    this.identity = parts.identity;
    this.credentials = parts.credentials;
    this.query = parts.query;
    this.headers = parts.headers;
    this.address = parts.credentials.address;
    this.path = parts.found.item.path;
    this.#inbox = new Inbox({
      limit: queuedFrames,
      maxBytes: parts.settings.limits.socketBufferBytes,
      pause: () => this.#ws.pause(),
      resume: () => this.#ws.resume(),
    });
    this.#ws.on("message", (data, binary) => void this.#receive(data as Buffer, binary));
    const alive = () => {
      this.#alive = true;
    };
    this.#ws.on("pong", alive).on("ping", alive);
    this.#ws.on("error", () => this.#ws.terminate());
    this.#ws.on("close", () => {
      this.#inbox.end();
      this.#abort.abort(new GatewayError("CLIENT_GONE", 499, "the socket closed"));
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get buffered(): number {
    return this.#ws.bufferedAmount;
  }

  onClosed(listener: () => void): void {
    this.#ws.once("close", listener);
  }

  /** Runs the plugin's `open`; its fault closes the socket (1011) after the stream's own refusal frame. */
  open(): void {
    const { found, report } = this.#parts;
    Promise.resolve()
      .then(() => found.owner.scope.run(() => found.item.open(this)))
      .catch((error: unknown) => {
        if (this.#abort.signal.aborted) return;
        if (!GatewayError.is(error)) report(found.owner.id, `stream ${this.path}`, error);
        const code = GatewayError.is(error) ? error.code : "INTERNAL";
        this.#refuse(code, GatewayError.is(error) ? error.message : "internal error");
        void this.end(1011, code);
      });
  }

  send(value: unknown): boolean {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`a frame is JSON; a ${typeof value} is none`);
    if (this.#ws.readyState !== this.#ws.OPEN) return false;
    if (this.#ws.bufferedAmount > this.#parts.settings.limits.socketBufferBytes) {
      this.#ws.close(1013, "client reads too slowly");
      setTimeout(() => this.#ws.terminate(), closeDeadlineMs).unref();
      return false;
    }
    this.#ws.send(text);
    return true;
  }

  incoming(): AsyncIterableIterator<unknown> {
    return this.#inbox.iterate();
  }

  close(code = 1000, reason = ""): void {
    if (!mayClose(code)) throw new RangeError(`a socket is closed with 1000 or a code from 3000 to 4999, not ${code}`);
    void this.end(code, reason);
  }

  /** Closes and resolves when the socket is gone, at the latest after the deadline. */
  end(code: number, reason: string): Promise<void> {
    if (this.#ws.readyState === this.#ws.CLOSED) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#ws.terminate(), closeDeadlineMs);
      this.#ws.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.#ws.close(code, shortened(reason));
    });
  }

  ping(): void {
    // While its frames wait for a slow plugin, its pongs wait behind them.
    if (this.#ws.isPaused) return;
    if (!this.#alive) return void this.#ws.terminate();
    this.#alive = false;
    this.#ws.ping();
  }

  async #receive(data: Buffer, binary: boolean): Promise<void> {
    this.#alive = true;
    const { found } = this.#parts;
    try {
      if (binary) throw new GatewayError("BAD_FRAME", 400, "frames are JSON text, not binary");
      const value = parseJson(data);
      const { up, asks } = found.item;
      if (asks && this.#asked) await this.#parts.authorize();
      this.#asked = true;
      this.#inbox.push(up ? await found.owner.validators.check(up, value, "frame") : value, data.length);
    } catch (error) {
      this.#refuse(GatewayError.is(error) ? error.code : "BAD_FRAME", messageOf(error));
    }
  }

  /** A stream's own refusal that fails is its fault; the client gets the default one. */
  #refuse(code: string, message: string): void {
    const { item, owner } = this.#parts.found;
    try {
      const frame = item.refuse ? item.refuse({ code, message }, this) : { ok: false, error: message, code };
      if (frame !== undefined) this.send(frame);
    } catch (error) {
      this.#parts.report(owner.id, `stream ${this.path}`, error);
      this.send({ ok: false, error: message, code });
    }
  }
}

/** What ws lets a side say; the rest is for the protocol itself. */
function mayClose(code: number): boolean {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
}

/** At most the 123 bytes that a close frame holds, in whole characters. */
function shortened(reason: string): string {
  const characters = [...String(reason).slice(0, 123)];
  while (Buffer.byteLength(characters.join("")) > 123) characters.pop();
  return characters.join("");
}
