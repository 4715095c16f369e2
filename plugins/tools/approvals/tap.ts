/** The tap on `tool:before`: policy first, then a person. It comes last, so that what is shown is what runs. */
import { createHash } from "node:crypto";
import { allows, type ToolInvocation } from "@chela/sdk";
import type { Ctx } from "../world.ts";
import type { ApprovalDesk } from "./desk.ts";
import { ruleFor, shellTools } from "./policy.ts";

export function tapApprovals(ctx: Ctx, desk: ApprovalDesk): void {
  ctx.on("tool:before", (invocation) => judge(ctx, desk, invocation), "post");
}

async function judge(ctx: Ctx, desk: ApprovalDesk, invocation: ToolInvocation): Promise<{ deny: string } | undefined> {
  const { tool, turn } = invocation;
  const refused = refusal(ctx, invocation);
  if (refused) return refused;
  // From here on nobody can put something else in the place of what was judged.
  freeze(invocation.input);
  const { policy, setting } = ruleFor(ctx.config.approvals, invocation);
  if (policy === "allow") return undefined;
  // Whoever types the call himself, and may approve calls, has approved it.
  if (turn.origin === "direct" && allows(turn.identity, "admin")) return undefined;
  const grant = grantOf(ctx, invocation);
  if (desk.isGranted(grant)) return undefined;
  const timeoutMs = ctx.config.approvals.timeout_sec * 1000;
  const denied = await desk.ask({ invocation, grant, timeoutMs, hint: howToAllow(tool, setting) });
  // What the operator has forbidden meanwhile, nobody allows.
  return denied ?? refusal(ctx, invocation);
}

function refusal({ config }: Ctx, invocation: ToolInvocation): { deny: string } | undefined {
  const { tool } = invocation;
  if (!config.shell.enabled && shellTools.has(tool))
    return { deny: `${tool} is switched off (tools.shell.enabled is false); only the operator can switch it on` };
  const { policy, setting } = ruleFor(config.approvals, invocation);
  return policy === "deny" ? { deny: `${tool} is denied by the setting ${setting}` } : undefined;
}

/** This tool, as it describes itself now, in this session, for who asked and the agent he asked. */
function grantOf(ctx: Ctx, { tool, turn }: ToolInvocation): string | undefined {
  const info = ctx.use.tools.list().find(({ name }) => name === tool);
  if (turn.session === null || !info) return undefined;
  const definition = createHash("sha256")
    .update(JSON.stringify([info.about, info.input, info.remote]))
    .digest("hex");
  return JSON.stringify([tool, definition, turn.session, turn.identity.id, turn.agent]);
}

function howToAllow(tool: string, setting: string): string {
  return (
    `An admin can answer in "chela chat" or any client of /api/approvals/live while it is open, or allow it for good: ` +
    `chela config set tools.approvals.tools.${tool} allow (now decided by ${setting})`
  );
}

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}
