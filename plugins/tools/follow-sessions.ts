/** What belongs to a session goes with it: the programs that run in it, and what was granted there. */
import type { ApprovalDesk } from "./approvals/desk.ts";
import type { ShellSwitch } from "./shell/switch.ts";
import type { Ctx } from "./world.ts";

export function followSessions(ctx: Ctx, desk: ApprovalDesk, shell: ShellSwitch): void {
  ctx.use.events.subscribe(({ type, payload: { session, deleted, renamed_from: before } }) => {
    if (type !== "session_changed" || typeof session !== "string") return;
    if (typeof before === "string") gone(before, session);
    else if (deleted === true) gone(session, undefined);
  });
  const gone = (session: string, to: string | undefined) => {
    desk.forget(session);
    shell.sessionGone(session, to).catch((error: unknown) => {
      ctx.log.warn({ error, session }, "the programs of a session that is gone could not be ended");
    });
  };
}
