/** What `doctor` asks a gateway that runs: whether its parts are well, and whether the model that answers by default can. */
import type { HealthReport } from "@chela/sdk";
import type { Cli } from "./cli.ts";
import { findAnswering, type Gateway } from "./client.ts";
import { bad, type Finding, good } from "./doctor-finding.ts";
import { failureOf } from "./failure.ts";

interface ProviderList {
  readonly primary: string;
  readonly providers: readonly {
    readonly name: string;
    readonly primary: boolean;
    readonly status: string;
    readonly last_error_reason: string | null;
  }[];
}

/** Nothing to say where no gateway answers: that is another check's. */
export async function checkHealth(cli: Cli): Promise<Finding[]> {
  const gateway = await findAnswering(cli);
  if (!gateway) return [];
  const { checks } = (await gateway.call("gateway.health", {})) as HealthReport;
  const failing = checks.filter(({ ok }) => !ok);
  if (failing.length === 0) return [good("health", `${checks.length} checks of plugins are well`)];
  return failing.map(({ plugin, name, reason }) =>
    bad("health", `${plugin}: ${name}${typeof reason === "string" && reason ? `: ${reason}` : ""}`, "chela health"),
  );
}

export async function checkModels(cli: Cli): Promise<Finding[]> {
  const gateway = await findAnswering(cli);
  const told = gateway ? await providersOf(gateway) : undefined;
  if (!told) return [];
  const { primary, providers } = told;
  const [name = ""] = primary.split("/");
  const row = providers.find((one) => one.name === name);
  if (!row && name !== "offline")
    return [bad("models", `${primary} answers by default, but no provider "${name}" is there`, use)];
  if (row?.status !== "critical") return [good("models", `${primary} answers by default`)];
  const why = row.last_error_reason ? `: ${row.last_error_reason}` : "";
  return [bad("models", `${primary} answers by default and rests${why}`, `chela provider test ${name}`)];
}

const use = "chela models list, then: chela provider use provider/model";

/** Undefined where the plugin is off. */
async function providersOf(gateway: Gateway): Promise<ProviderList | undefined> {
  try {
    return (await gateway.call("providers.list", {})) as ProviderList;
  } catch (error) {
    if (failureOf(error).code === "METHOD_UNKNOWN") return undefined;
    throw error;
  }
}
