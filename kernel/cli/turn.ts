/**
 * One turn over `/api/chat/live`: a message out, the reply in pieces, an abort when the person interrupts. A connection that
 * the gateway ends half-way, because it or its chat starts anew, is made again: the message carries a key, so that the same
 * turn goes on, or is run again where it was cut, and never twice.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { GatewayError } from "@chela/sdk";
import type { Gateway } from "./client.ts";
import { type GatewaySocket, openSocket } from "./socket.ts";

export interface TurnAsk {
  readonly session: string;
  readonly message: string;
  /** The gateway as it can be reached now, or null. */
  readonly reach: () => Promise<Gateway | null>;
  /** Connected again, maybe to another process; the turn's id comes anew. */
  readonly onAgain: (gateway: Gateway) => Promise<void>;
  /** Gets the turn's id, before anything is said. */
  readonly onStart: (turn: string) => void;
  /** A tool begins. */
  readonly onTool: (name: string, input: unknown) => void;
  readonly onText: (text: string) => void;
  /** What was said so far does not count: the reply begins anew. */
  readonly onAnew: () => void;
  /** Gets the handler of Ctrl-C while the turn runs. */
  readonly onInterrupt: (handler: () => void) => void;
}

export interface TurnEnd {
  readonly reply: string;
  readonly aborted: boolean;
  /** Interrupted a second time: the person does not want to wait. */
  readonly left: boolean;
}

type Frame = Readonly<Record<string, unknown>>;

const path = "/api/chat/live?events=1";
/** The gateway restarts, goes away, or is gone. */
const comesBack: ReadonlySet<number> = new Set([1001, 1006, 1012]);
const patienceMs = 30_000;
const pauseMs = 200;
const refusals: ReadonlySet<string> = new Set(["UNAUTHORIZED", "FORBIDDEN"]);

export async function runTurn(gateway: Gateway, ask: TurnAsk): Promise<TurnEnd> {
  const turn = new Turn(ask);
  let socket: GatewaySocket | undefined = await openSocket(gateway, path);
  while (socket) {
    const end = await turn.follow(socket);
    if (end) return end;
    const code: number = socket.closeCode();
    if (!comesBack.has(code)) throw cut(ask, code);
    socket = await turn.again(code);
  }
  return turn.aborted();
}

class Turn {
  readonly #ask: TurnAsk;
  readonly #key = randomUUID();
  /** Ends the waiting for a gateway. */
  readonly #stop = new AbortController();
  #socket: GatewaySocket | undefined;
  #shown = "";
  #aborted = false;
  #left = false;

  constructor(ask: TurnAsk) {
    this.#ask = ask;
    ask.onInterrupt(() => this.#interrupt());
  }

  aborted(): TurnEnd {
    return { reply: this.#shown, aborted: true, left: this.#left };
  }

  /** Undefined when the connection ended before the turn did. */
  async follow(socket: GatewaySocket): Promise<TurnEnd | undefined> {
    const { session, message, onStart, onTool } = this.#ask;
    this.#socket = socket;
    let heard = "";
    try {
      socket.send({ session, message, idempotencyKey: this.#key });
      for await (const frame of socket.frames()) {
        if (frame.type === "chat_start" && typeof frame.turn === "string") onStart(frame.turn);
        else if (frame.type === "chat_tool" && frame.state === "run") onTool(String(frame.name), frame.input);
        else if (frame.type === "chat_chunk" && typeof frame.delta === "string") {
          heard += frame.delta;
          this.#hear(heard);
        } else if (frame.type === "chat_error" && !this.#aborted) throw failed(frame);
        else if (frame.type === "chat_error") return this.aborted();
        else if (frame.type === "chat_done") return this.#done(frame, heard);
      }
    } finally {
      this.#socket = undefined;
      socket.close();
    }
    return this.#aborted ? this.aborted() : undefined;
  }

  /** A new connection once there is a gateway again. Undefined when the person did not want to wait. */
  async again(code: number): Promise<GatewaySocket | undefined> {
    const until = Date.now() + patienceMs;
    while (!this.#stop.signal.aborted) {
      const socket = await this.#connect();
      if (socket) return socket;
      if (Date.now() > until) throw cut(this.#ask, code);
      await pause(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
    return undefined;
  }

  async #connect(): Promise<GatewaySocket | undefined> {
    try {
      const gateway = await this.#ask.reach();
      if (!gateway) return undefined;
      // First of all who is asked to approve: the turn may go on at once.
      const socket = await openSocket(gateway, path);
      await this.#ask.onAgain(gateway).catch((error: unknown) => {
        socket.close();
        throw error;
      });
      return socket;
    } catch (error) {
      if (!GatewayError.is(error) || refusals.has(error.code)) throw error;
      return undefined;
    }
  }

  /** After a break the reply comes from its beginning: what was shown is not shown again. */
  #hear(heard: string): void {
    if (this.#shown.startsWith(heard)) return;
    const { onAnew, onText } = this.#ask;
    if (heard.startsWith(this.#shown)) onText(heard.slice(this.#shown.length));
    else {
      onAnew();
      onText(heard);
    }
    this.#shown = heard;
  }

  /** The whole text comes along where it is not the sum of the pieces: a plugin changed it afterwards. */
  #done(frame: Frame, heard: string): TurnEnd {
    const reply = typeof frame.reply === "string" ? frame.reply : heard;
    if (heard === "") this.#hear(reply);
    return { reply, aborted: this.#aborted || frame.stop === "aborted", left: this.#left };
  }

  #interrupt(): void {
    if (this.#aborted || !this.#socket) {
      this.#left = this.#aborted;
      this.#aborted = true;
      this.#stop.abort();
      this.#socket?.close();
      return;
    }
    this.#aborted = true;
    this.#socket.send({ type: "abort", session: this.#ask.session });
  }
}

function cut({ session }: TurnAsk, code: number): GatewayError {
  return new GatewayError(
    "CHAT_CUT",
    502,
    `The connection closed before the reply was complete (code ${code}). What arrived is kept: chela sessions show ${session}`,
  );
}

function failed(frame: Frame): GatewayError {
  const code = typeof frame.code === "string" ? frame.code : "CHAT_FAILED";
  return new GatewayError(code, 502, String(frame.error ?? "the turn failed"));
}
