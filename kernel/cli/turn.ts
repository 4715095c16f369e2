/** One turn over `/api/chat/live`: a message out, the reply in pieces, an abort when the person interrupts. */
import { GatewayError } from "@chela/sdk";
import type { Gateway } from "./client.ts";
import { openSocket } from "./socket.ts";

export interface TurnAsk {
  readonly session: string;
  readonly message: string;
  /** Gets the turn's id, before anything is said. */
  readonly onStart: (turn: string) => void;
  /** A tool begins. */
  readonly onTool: (name: string, input: unknown) => void;
  readonly onText: (text: string) => void;
  /** Gets the handler of Ctrl-C while the turn runs. */
  readonly onInterrupt: (handler: () => void) => void;
}

export interface TurnEnd {
  readonly reply: string;
  readonly aborted: boolean;
  /** Interrupted a second time: the person does not want to wait. */
  readonly left: boolean;
}

export async function runTurn(gateway: Gateway, ask: TurnAsk): Promise<TurnEnd> {
  const socket = await openSocket(gateway, "/api/chat/live?events=1");
  let reply = "";
  let aborted = false;
  let left = false;
  ask.onInterrupt(() => {
    if (aborted) {
      left = true;
      socket.close();
      return;
    }
    aborted = true;
    socket.send({ type: "abort", session: ask.session });
  });
  try {
    socket.send({ session: ask.session, message: ask.message });
    for await (const frame of socket.frames()) {
      if (frame.type === "chat_start" && typeof frame.turn === "string") ask.onStart(frame.turn);
      else if (frame.type === "chat_tool" && frame.state === "run") ask.onTool(String(frame.name), frame.input);
      else if (frame.type === "chat_chunk" && typeof frame.delta === "string") {
        reply += frame.delta;
        ask.onText(frame.delta);
      } else if (frame.type === "chat_error" && !aborted) throw failed(frame);
      else if (frame.type === "chat_error") return { reply, aborted, left };
      else if (frame.type === "chat_done") {
        // The whole text, where it is not the sum of the pieces: a plugin changed it afterwards.
        if (typeof frame.reply === "string") {
          if (reply === "") ask.onText(frame.reply);
          reply = frame.reply;
        }
        return { reply, aborted: aborted || frame.stop === "aborted", left };
      }
    }
  } finally {
    socket.close();
  }
  if (aborted) return { reply, aborted, left };
  throw new GatewayError(
    "CHAT_CUT",
    502,
    `The connection closed before the reply was complete (code ${socket.closeCode()}). What arrived is kept: chela sessions show ${ask.session}`,
  );
}

function failed(frame: Readonly<Record<string, unknown>>): GatewayError {
  const code = typeof frame.code === "string" ? frame.code : "CHAT_FAILED";
  const what = String(frame.error ?? "the turn failed");
  const way = ways[code] ?? (code.startsWith("UPSTREAM_") ? "See who answers: chela models test" : "");
  return new GatewayError(code, 502, way === "" ? what : `${what}. ${way}`.replace(/([.!?])\. /, "$1 "));
}

/** What a person can do about a turn that failed. */
const ways: Readonly<Record<string, string>> = {
  MODEL_UNKNOWN: "Choose another one: chela models list, then chela provider use provider/model",
  UPSTREAM_AUTH: "Give it another key: chela provider configure NAME --api-key -",
};
