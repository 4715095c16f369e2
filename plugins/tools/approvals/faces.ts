/** Approvals for people and programs: a live stream for whoever attends, routes, RPC methods and events. */
import { type Approval, type ApprovalDecision, GatewayError, type Socket, Type } from "@chela/sdk";
import type { Ctx } from "../world.ts";
import { type ApprovalDesk, concerns, type Notice } from "./desk.ts";

const Decision = Type.Union([Type.Literal("allow"), Type.Literal("always"), Type.Literal("deny")], {
  description: "always: later calls of this tool in this session, too",
});
const Hash = Type.String({ minLength: 64, maxLength: 64, description: "Of the input that was shown" });
const Id = Type.String({ minLength: 1, maxLength: 64, description: "Id of the approval" });
const Answer = Type.Object({ id: Id, hash: Hash, decision: Decision });
const Frame = Type.Object({ type: Type.String() }, { additionalProperties: true });
type Reply = { readonly id: string; readonly hash: string; readonly decision: ApprovalDecision };

export function registerApprovals(ctx: Ctx, desk: ApprovalDesk): void {
  ctx.own(
    "approval events",
    desk.watch((notice) => publish(ctx, notice)),
  );
  ctx.stream({
    path: "/api/approvals/live",
    access: "admin",
    about:
      "Attends to calls that need approval while it is open; `?session=KEY` to those of one session only. Down: approval_requested, approval_resolved. Up: {id, hash, decision}.",
    up: Answer,
    down: Frame,
    refuse: ({ code, message }) => ({ type: "approval_error", code, error: message }),
    open: (socket) => attend(desk, socket as Socket<Reply, { type: string }>),
  });
  registerRoutes(ctx, desk);
  ctx.method({
    name: "approvals.list",
    access: "admin",
    about: "Calls that wait for a person, with the whole text of each, and how many approvers attend.",
    params: Type.Object({}),
    handler: () => ({ approvals: desk.pending(), attending: desk.attending }),
  });
  ctx.method({
    name: "approvals.decide",
    access: "admin",
    about:
      "Answers a call that waits; the hash says which text was read. `always`: this tool in this session from now on.",
    params: Answer,
    handler: async ({ id, hash, decision }, { identity }) => {
      await desk.decide(id, hash, decision, identity);
      return { id, decision };
    },
  });
}

function registerRoutes(ctx: Ctx, desk: ApprovalDesk): void {
  ctx.route({
    method: "GET",
    path: "/api/approvals",
    access: "admin",
    about: "Calls that wait for a person, with the whole text of each.",
    handler: () => ({ ok: true, approvals: desk.pending(), attending: desk.attending }),
  });
  ctx.route({
    method: "POST",
    path: "/api/approvals/:id",
    access: "admin",
    about: "Answers a call that waits.",
    params: Type.Object({ id: Id }),
    body: Type.Object({ hash: Hash, decision: Decision }),
    handler: async ({ params: { id = "" }, body, identity }) => {
      await desk.decide(id, body.hash, body.decision, identity);
      return { ok: true, id, decision: body.decision };
    },
  });
}

async function attend(desk: ApprovalDesk, socket: Socket<Reply, { type: string }>): Promise<void> {
  const { session } = socket.query;
  const send = (notice: Notice) => {
    if (concerns(session, notice.approval)) socket.send(frameOf(notice));
  };
  const leave = desk.attend(socket.identity, session);
  const unwatch = desk.watch(send);
  const gone = () => {
    leave();
    unwatch();
  };
  socket.signal.addEventListener("abort", gone, { once: true });
  for (const approval of desk.pending()) send({ type: "requested", approval });
  for await (const { id, hash, decision } of socket.incoming()) {
    try {
      await desk.decide(id, hash, decision, socket.identity);
    } catch (error) {
      if (!GatewayError.is(error)) throw error;
      socket.send({ type: "approval_error", id, code: error.code, error: error.message } as { type: string });
    }
  }
}

function frameOf(notice: Notice): { type: string } {
  if (notice.type === "requested") return { type: "approval_requested", ...notice.approval } as { type: string };
  return { type: "approval_resolved", ...endOf(notice) } as { type: string };
}

function endOf({ approval, ending, by }: Extract<Notice, { type: "resolved" }>) {
  const { id, tool, hash, session, root, turn } = approval;
  return { id, tool, hash, session, root, turn, decision: ending, by };
}

function publish(ctx: Ctx, notice: Notice): void {
  if (ctx.signal.aborted) return;
  if (notice.type === "resolved") ctx.emit("approval_resolved", endOf(notice));
  else ctx.emit("approval_requested", eventOf(notice.approval));
}

/** Everybody with `read` hears events. What a call would do, and the hash that answers it, are for who may decide: from the stream or `GET /api/approvals`. */
function eventOf({ input, hash: _, ...rest }: Approval): Record<string, unknown> {
  return { ...rest, inputChars: input.length };
}
