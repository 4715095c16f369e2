/** What the config says about a tool call: run it, ask a person, or refuse. Pure. */
import type { ToolInvocation } from "@chela/sdk";
import type { ApprovalSettings } from "../settings.ts";

export type Policy = "allow" | "ask" | "deny";
type Risk = ToolInvocation["risk"];

/** They run programs, whatever they say of themselves. `tools.shell.enabled` is about them. */
export const shellTools: ReadonlySet<string> = new Set(["exec", "process", "skill_exec"]);
/** Looking after a program that was approved runs nothing new. */
const quietActions: ReadonlySet<unknown> = new Set(["list", "read", "stop"]);

/** The setting that decides, for texts that say how to change it. */
export interface Rule {
  readonly policy: Policy;
  readonly setting: string;
}

export function ruleFor(settings: ApprovalSettings, { tool, risk, input }: Asked): Rule {
  const own = Object.hasOwn(settings.tools, tool) ? settings.tools[tool] : undefined;
  if (own !== undefined) return { policy: own, setting: `tools.approvals.tools.${tool}` };
  const kind = riskOf(tool, risk, input);
  return { policy: settings[kind], setting: `tools.approvals.${kind}` };
}

type Asked = Pick<ToolInvocation, "tool" | "risk" | "input">;

function riskOf(tool: string, declared: Risk, input: unknown): Risk {
  if (!shellTools.has(tool)) return declared;
  if (tool === "process" && quietActions.has((input as { action?: unknown } | null)?.action)) return "read";
  return "exec";
}
