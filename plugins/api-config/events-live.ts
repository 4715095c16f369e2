/** `/api/events/live`: `ready`, then what a client missed since the number it names, then events as they happen. */
import { type Events, type GatewayEvent, type Socket, Type } from "@chela/sdk";
import type { Ctx } from "./needs.ts";

export function registerEvents(ctx: Ctx): void {
  ctx.stream({
    path: "/api/events/live",
    access: "read",
    about:
      "Events of the gateway. `?since=SEQ` first repeats the remembered ones after it; `gap` says that some are lost.",
    down: Type.Object({ type: Type.String(), seq: Type.Optional(Type.Integer()), at: Type.Optional(Type.Number()) }),
    // The client has nothing to say here; whatever it sends is ignored.
    refuse: () => undefined,
    open: (socket) => follow(ctx.use.events, socket),
  });
}

async function follow(events: Events, socket: Socket): Promise<void> {
  // In one go, so that no event falls between what is repeated and what follows.
  socket.send({ type: "ready", seq: events.last() });
  const since = /^\d{1,15}$/.test(socket.query.since ?? "") ? Number(socket.query.since) : undefined;
  if (since !== undefined) repeat(events, since, socket);
  const leave = events.subscribe((event) => socket.send(frameOf(event)));
  socket.signal.addEventListener("abort", leave, { once: true });
  for await (const _ of socket.incoming());
}

function repeat(events: Events, since: number, socket: Socket): void {
  // A number from the future is one of an earlier process: everything remembered is new to that client.
  const fromEarlierProcess = since > events.last();
  const missed = events.since(fromEarlierProcess ? 0 : since);
  if (missed.gap || fromEarlierProcess) socket.send({ type: "gap" });
  for (const event of missed.events) socket.send(frameOf(event));
}

/** ClawGo's clients know the source `webui` for what came through the API. */
function frameOf({ type, seq, at, payload }: GatewayEvent): Record<string, unknown> {
  const source = type === "config_changed" && payload.source === "api" ? { source: "webui" } : {};
  return { ...payload, ...source, type, seq, at };
}
