/** `sentinel …`: what the sentinel of the running gateway sees, and whether its webhook can be reached. */
import type { Cli, Handler } from "./cli.ts";
import { needGateway } from "./client.ts";
import { styled } from "./output.ts";
import { withProgress } from "./progress.ts";
import { localTime } from "./text.ts";

export interface Status {
  readonly enabled: boolean;
  readonly lookedAt: number | null;
  readonly failing: readonly { readonly what: string; readonly reason: string; readonly since: number }[];
  readonly webhook: boolean;
  readonly answeredAt: number | null;
  readonly waiting: number;
  readonly trouble: string;
}

interface Tested {
  readonly ok: boolean;
  readonly status: number | null;
  readonly ms: number | null;
  readonly reason: string;
}

export const status: Handler = async (cli) => {
  const gateway = await needGateway(cli, "sentinel status");
  const told = (await gateway.call("sentinel.status", {})) as Status;
  await cli.out.show(told, () => show(cli, told));
};

export const test: Handler = async (cli) => {
  const gateway = await needGateway(cli, "sentinel test");
  const ask = () => gateway.call("sentinel.test", {});
  const told = (await withProgress(cli, "Asking the webhook", ask)) as Tested;
  await cli.out.show(told, () =>
    cli.out.line(told.ok ? `answered ${told.status} in ${told.ms} ms` : styled("red", told.reason)),
  );
  return told.ok ? 0 : 1;
};

async function show(cli: Cli, { enabled, lookedAt, failing, ...more }: Status): Promise<void> {
  if (!enabled)
    return cli.out.note("The sentinel is switched off. Switch it on with: chela config set sentinel.enabled true");
  const looked = lookedAt === null ? "not yet" : localTime(lookedAt);
  const rows = failing.map(({ what, reason, since }) => [what, styled("red", reason), `since ${localTime(since)}`]);
  await cli.out.table([], [["Last look", looked, ""], ["Webhook", webhookText(more), ""], ...rows]);
}

function webhookText({ webhook, answeredAt, waiting, trouble }: Omit<Status, "enabled" | "lookedAt" | "failing">) {
  if (!webhook) return "none; set one with: chela config set sentinel.webhook_url ADDRESS";
  if (trouble !== "") return styled("red", `${trouble} (${waiting} waiting)`);
  return answeredAt === null ? "not asked yet; try it with: chela sentinel test" : `answered ${localTime(answeredAt)}`;
}
