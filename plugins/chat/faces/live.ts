/**
 * `/api/chat/live`: one question per connection, the reply token by token, then the connection is closed; `?multi=1` keeps
 * it open for more, and lets a client that was away go on where it stopped. The turn belongs to the session: a client that
 * leaves stops listening, nothing else.
 */
import type { Context } from "@chela/sdk";
import { askSchema } from "./ask.ts";
import type { LiveServices } from "./live-conversation.ts";
import { Frame, failure, isMulti } from "./live-frames.ts";

export function registerLive(ctx: Pick<Context, "stream" | "work">, services: LiveServices): void {
  ctx.stream({
    path: "/api/chat/live",
    access: "write",
    asks: true,
    about:
      'Send {session,message,media,agent,model}, receive the reply in pieces; {type:"abort"} stops it; with ?multi=1 {type:"resume",session,after} goes on after a break; ?events=1 shows tools',
    up: askSchema,
    down: Frame,
    refuse: (error, socket) => {
      socket.send(
        failure(error.code === "BAD_JSON" || error.code === "INVALID" ? "invalid json" : error.message) as never,
      );
      if (!isMulti(socket)) socket.close(1000);
      return undefined;
    },
    open: async (socket) => {
      const { Conversation } = await import("./live-conversation.ts");
      await new Conversation(services, socket, ctx.work).listen();
    },
  });
}
