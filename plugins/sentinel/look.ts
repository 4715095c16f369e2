/** One look at the gateway: every health check, run just now, and every plugin that runs or is off because it failed. */
import { cutText, type Gateway, type HealthReport, type Plugins } from "@chela/sdk";

/** `says` goes on where the name of the thing ends: `fails: no answer within 2000 ms`. */
export interface Finding {
  readonly ok: boolean;
  readonly says: string;
  /** Name of the check; null: the plugin itself. */
  readonly check: string | null;
  readonly plugin: string;
}

/** By what was looked at: `check "database" of store`, `plugin store`. */
export type Findings = ReadonlyMap<string, Finding>;

export function wellAgain({ check, plugin }: Pick<Finding, "check" | "plugin">): Finding {
  return { ok: true, says: "is well again", check, plugin };
}

const longestReason = 500;

export async function look({ gateway, plugins }: { gateway: Gateway; plugins: Plugins }): Promise<Findings> {
  const { checks } = await gateway.health();
  const found = new Map<string, Finding>();
  for (const check of checks) {
    const { plugin, name } = check;
    const whose = { check: name, plugin };
    const bad = { ok: false, says: `fails: ${reasonOf(check)}`, ...whose };
    found.set(`check "${name}" of ${plugin}`, check.ok ? wellAgain(whose) : bad);
  }
  for (const { id, state, reason } of plugins.list()) {
    const whose = { check: null, plugin: id };
    if (state === "running") found.set(`plugin ${id}`, wellAgain(whose));
    if (state !== "failed" && state !== "quarantined") continue;
    const word = state === "failed" ? "has failed" : "is quarantined";
    found.set(`plugin ${id}`, { ok: false, says: `${word}: ${shown(reason)}`, ...whose });
  }
  return found;
}

/** What the check says itself; a check that gives no reason, all its facts. */
function reasonOf({ plugin: _, name: __, ok: ___, ...facts }: HealthReport["checks"][number]): string {
  const said = [facts.reason, facts.error].find((text) => typeof text === "string" && text !== "");
  return shown((said as string | undefined) ?? JSON.stringify(facts));
}

function shown(reason: string): string {
  return reason === "" || reason === "{}" ? "it gives no reason" : cutText(reason, longestReason, "…");
}
