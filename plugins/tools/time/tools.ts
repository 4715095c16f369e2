/** remind and cron: there only while a cron service is. */
import { type Cron, type CronJob, GatewayError, type Tool, type TSchema, type Turn, Type } from "@chela/sdk";
import { type Ctx, present } from "../world.ts";
import { momentOf } from "./moment.ts";

const RemindInput = Type.Object({
  content: Type.String({ minLength: 1, maxLength: 20_000, description: "What to be reminded of" }),
  when: Type.String({ minLength: 1, maxLength: 64, description: "10m, 1h30m, or a date and time: 2026-12-24 18:00" }),
});
const CronInput = Type.Object({
  action: Type.Union(["list", "delete", "enable", "disable"].map((name) => Type.Literal(name as "list"))),
  id: Type.Optional(Type.String({ maxLength: 100 })),
});

export function timeTools(ctx: Ctx): Tool<TSchema>[] {
  const remind: Tool<typeof RemindInput> = {
    name: "remind",
    about: "Sets a reminder: at that time you are asked to pass it on in this conversation.",
    input: RemindInput,
    risk: "write",
    access: "write",
    run: ({ content, when }, turn) => remindAt(present(ctx, "cron"), content, momentOf(when, Date.now()), turn),
  };
  const jobs: Tool<typeof CronInput> = {
    name: "cron",
    about: "Scheduled jobs: list them; delete, enable or disable one.",
    input: CronInput,
    risk: "write",
    access: "write",
    run: async ({ action, id }) => {
      const cron = present(ctx, "cron");
      if (action === "list") return (await cron.list()).map(line).join("\n") || "There are no jobs.";
      if (!id) throw new GatewayError("CRON_ID", 400, `${action} needs the id of a job; list names them`);
      const found = action === "delete" ? await cron.remove(id) : await cron.enable(id, action === "enable");
      if (!found) throw new GatewayError("CRON_UNKNOWN", 404, `there is no job ${JSON.stringify(id)}`);
      return `${action} ${id}: done.`;
    },
  };
  return [remind, jobs] as unknown as Tool<TSchema>[];
}

async function remindAt(cron: Cron, content: string, atMs: number, turn: Turn): Promise<string> {
  const to = turn.session ?? undefined;
  const payload = { kind: "agent_turn", message: content, deliver: true } as const;
  const { id } = await cron.create(
    {
      name: `remind: ${content.replace(/\s+/g, " ").slice(0, 60)}`,
      schedule: { kind: "at", atMs },
      payload: { ...payload, ...(turn.channel && { channel: turn.channel }), ...(to && { to }) },
      deleteAfterRun: true,
    },
    turn.identity,
  );
  return `Reminder ${id} is set for ${new Date(atMs).toISOString()}.`;
}

function line({ id, name, enabled, schedule, state }: CronJob): string {
  const when =
    schedule.expr ?? (schedule.kind === "every" ? `every ${(schedule.everyMs ?? 0) / 1000} s` : iso(schedule.atMs));
  return `${id}  ${enabled ? "on" : "off"}  ${when}  ${name}${state.nextRunAtMs ? `  next ${iso(state.nextRunAtMs)}` : ""}`;
}

function iso(at: number | undefined): string {
  return at === undefined || !Number.isFinite(at) ? "at no time" : new Date(at).toISOString();
}
