/** `approvals …`: the calls that wait for a person. What is allowed is shown first, and bound by its hash. */
import { type Approval, type ApprovalDecision, GatewayError } from "@chela/sdk";
import { described } from "./attend.ts";
import type { Cli, Handler } from "./cli.ts";
import { needGateway } from "./client.ts";
import { textOption } from "./values.ts";

interface Waiting {
  readonly approvals: readonly Approval[];
  readonly attending: number;
}

export const list: Handler = async (cli) => {
  const gateway = await needGateway(cli, "approvals list");
  const { approvals, attending } = (await gateway.call("approvals.list", {})) as Waiting;
  await cli.out.show(approvals, () => {
    for (const approval of approvals) {
      const seconds = Math.max(0, Math.round((approval.expiresAt - Date.now()) / 1000));
      cli.out.text(`${approval.id}  ${seconds} s left\n${described(approval)}\n\n`);
    }
    if (approvals.length > 0) return;
    const asked = attending > 0 ? "" : " Nobody attends: calls that need approval are denied at once.";
    cli.out.note(`Nothing waits.${asked} Attend with: chela chat`);
  });
};

export const allow: Handler = (cli, [id = ""], options) =>
  decide(cli, id, options.always === true ? "always" : "allow", textOption(options.hash));

export const deny: Handler = (cli, [id = ""]) => decide(cli, id, "deny");

async function decide(cli: Cli, id: string, decision: ApprovalDecision, hashStart = ""): Promise<void> {
  const gateway = await needGateway(cli, `approvals ${decision}`);
  const { approvals } = (await gateway.call("approvals.list", {})) as Waiting;
  const waiting = approvals.find((approval) => approval.id === id);
  if (!waiting) {
    const message = `No call waits under ${JSON.stringify(id)}. See what does: chela approvals list`;
    throw new GatewayError("APPROVAL_UNKNOWN", 404, message);
  }
  if (!waiting.hash.startsWith(hashStart.toLowerCase())) {
    const message = `The hash of ${id} begins with ${waiting.hash.slice(0, 12)}: it is another call than you read.`;
    throw new GatewayError("APPROVAL_CHANGED", 409, message);
  }
  const result = await gateway.call("approvals.decide", { id, hash: waiting.hash, decision });
  await cli.out.show({ ok: true, ...(result as object) }, () => {
    const word = { allow: "Allowed", always: "Allowed from now on", deny: "Denied" }[decision];
    cli.out.text(`${word}: ${described(waiting)}\n`);
  });
}
