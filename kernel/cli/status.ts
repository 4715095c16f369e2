/** `status` and `health`: what the gateway is doing, and whether it is well. */
import type { ConfigProblem, GatewayStatus, HealthReport, PluginRow } from "@chela/sdk";
import type { Cli, Handler } from "./cli.ts";
import { findGateway, type Gateway } from "./client.ts";
import { failureOf } from "./failure.ts";
import { type Piece, styled } from "./output.ts";
import { duration, localTime } from "./text.ts";

const notRunning = 3;

interface Status extends GatewayStatus {
  readonly pending?: readonly string[];
  readonly config?: {
    readonly trouble: { readonly message: string } | null;
    readonly problems: readonly ConfigProblem[];
  };
  readonly plugins?: readonly PluginRow[];
}

export const status: Handler = async (cli) => {
  const gateway = await findGateway(cli);
  const facts = gateway ? await statusOf(gateway) : absent(cli);
  if ("error" in facts) {
    await cli.out.show({ running: false, stateDir: cli.places.stateDir, error: facts.error }, () => {
      cli.out.line(styled("yellow", facts.error.message));
    });
    return notRunning;
  }
  await cli.out.show({ running: true, ...facts }, () => print(cli, facts));
  return 0;
};

/** Nobody listening is an answer; a refused token or a fault is an error. */
async function statusOf(gateway: Gateway): Promise<Status | Failed> {
  try {
    return (await gateway.call("gateway.status", {})) as Status;
  } catch (error) {
    if (failureOf(error).code === "GATEWAY_UNREACHABLE") return failed(error);
    throw error;
  }
}

async function print(cli: Cli, facts: Status): Promise<void> {
  const plugins = facts.plugins ?? [];
  const idle = plugins.filter((row) => row.state !== "running");
  const rows: Piece[][] = [
    ["Gateway", styled(facts.ready ? "green" : "yellow", facts.ready ? "running" : "starting")],
    ["URL", facts.url],
    ["Process", `pid ${facts.pid}, up ${duration(facts.uptimeMs)} since ${localTime(facts.startedAt)}`],
    ["Version", `${facts.version} on node ${facts.node.replace(/^v/, "")}`],
    ["Auth", facts.authMode],
    ["Config", facts.configPath],
    ["State dir", facts.stateDir],
    ["Plugins", `${plugins.length - idle.length} of ${plugins.length} running`],
    ["Sockets", String(facts.sockets)],
  ];
  if (facts.safeMode) rows.push(["Safe mode", styled("red", facts.safeModeReason)]);
  if (facts.config?.trouble) rows.push(["Config trouble", styled("red", facts.config.trouble.message)]);
  for (const { path, message } of facts.config?.problems ?? [])
    rows.push(["Config", styled("yellow", `${path} ${message}`)]);
  if (facts.pending?.length) rows.push(["Waits for a restart", styled("yellow", facts.pending.join(", "))]);
  for (const row of idle) rows.push([`  ${row.id}`, row.reason ? `${row.state}: ${row.reason}` : row.state]);
  await cli.out.table([], rows);
}

export const health: Handler = async (cli) => {
  const gateway = await findGateway(cli);
  const report = gateway
    ? ((await gateway.call("gateway.health", {}).catch(failed)) as HealthReport | Failed)
    : absent(cli);
  await cli.out.show(report, async () => {
    if ("error" in report) cli.out.line(styled("red", report.error.message));
    else if (report.checks.length > 0) await cli.out.table(["", "plugin", "check", ""], report.checks.map(cells));
    if (report.ok) cli.out.line(styled("green", "Healthy."));
  });
  return report.ok ? 0 : 1;
};

interface Failed {
  readonly ok: false;
  readonly error: { readonly code: string; readonly message: string };
}

function absent(cli: Cli): Failed {
  const message = `The gateway is not running for ${cli.places.stateDir}. Start it with: chela gateway run`;
  return { ok: false, error: { code: "GATEWAY_NOT_RUNNING", message } };
}

function failed(error: unknown): Failed {
  const { code, message } = failureOf(error);
  return { ok: false, error: { code, message } };
}

function cells(check: HealthReport["checks"][number]): Piece[] {
  const { ok, plugin, name, ...facts } = check;
  return [ok ? styled("green", "ok") : styled("red", "failed"), plugin, name, factsOf(facts).join(" ")];
}

function factsOf(facts: object): string[] {
  return Object.entries(facts)
    .filter(([, value]) => value !== "" && value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([key, value]) => `${key}=${factOf(value)}`);
}

/** One of a list by its name, the rest of it in brackets. */
function factOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(factOf).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  const [[, head] = ["", ""], ...rest] = Object.entries(value);
  const more = factsOf(Object.fromEntries(rest)).join(" ");
  return more === "" ? String(head) : `${head} (${more})`;
}
