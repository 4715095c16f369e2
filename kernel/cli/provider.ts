/** `provider list|use|clear`: who serves, who answers by default, and the end of rests. */
import { GatewayError } from "@chela/sdk";
import type { Handler } from "./cli.ts";
import { needGateway } from "./client.ts";
import { type ConfigDoor, configDoor } from "./config-door.ts";
import { type Piece, styled } from "./output.ts";

interface CandidateRow {
  readonly kind: string;
  readonly status: string;
}

interface ProviderRow {
  readonly name: string;
  readonly source: string;
  readonly auth: string;
  readonly wire: string;
  readonly models: readonly string[];
  readonly open: boolean;
  readonly primary: boolean;
  readonly status: "healthy" | "degraded" | "critical";
  readonly strategy: string;
  readonly candidates: readonly CandidateRow[];
  readonly last_error_reason: string | null;
}

interface ProviderList {
  readonly primary: string;
  readonly providers: readonly ProviderRow[];
  readonly problems: readonly { readonly path: string; readonly message: string }[];
}

const colors = { healthy: "green", degraded: "yellow", critical: "red" } as const;
const head = ["name", "status", "auth", "wire", "models", "credentials", "last error"];

export const list: Handler = async (cli) => {
  const gateway = await needGateway(cli, "provider list");
  const told = (await gateway.call("providers.list", {})) as ProviderList;
  await cli.out.show(told, async () => {
    if (told.providers.length > 0) await cli.out.table(head, told.providers.map(cells));
    else cli.out.note("No provider is configured and none was found. Add one: chela provider configure openai");
    for (const { path, message } of told.problems) cli.out.line(styled("red", `${path} `), message);
    for (const { name } of told.providers.filter(isBare)) cli.out.note(`Log in with: chela provider login ${name}`);
    cli.out.note(`By default ${told.primary} answers. Change it with: chela provider use provider/model`);
  });
};

export const use: Handler = async (cli, [wanted = ""]) => {
  const door = await configDoor(cli);
  const model = await modelOf(door, wanted.trim());
  const path = "agents.defaults.model.primary";
  const before = await door.get(path, "file");
  const result = await door.set(path, model, {});
  const changed = before.value !== model;
  await cli.out.show({ ok: true, model, changed, applies: door.applies, ...result }, () => {
    cli.out.line(changed ? `${model} answers by default.` : `${model} answers by default already.`);
    if (changed && door.applies === "later") cli.out.note("No gateway is running: it applies at the next start.");
  });
};

export const clear: Handler = async (cli, [provider]) => {
  const gateway = await needGateway(cli, "provider clear");
  const params = provider === undefined ? {} : { provider };
  const result = (await gateway.call("providers.clear", params)) as { providers: string[]; cleared: number };
  await cli.out.show({ ok: true, ...result }, () => {
    const { cleared, providers } = result;
    const whose = provider === undefined ? "" : ` of ${providers.join(", ")}`;
    const what = cleared === 0 ? "Nothing" : cleared === 1 ? "Ended 1 rest" : `Ended ${cleared} rests`;
    cli.out.line(cleared === 0 ? `${what}${whose} rests.` : `${what}${whose}.`);
  });
};

/** A provider alone means its first model. */
async function modelOf(door: ConfigDoor, wanted: string): Promise<string> {
  if (wanted.includes("/")) return wanted;
  const { value } = await door.get(`models.providers[${JSON.stringify(wanted)}]`, "file");
  const [first] = (value as { models?: readonly (string | { id?: string })[] } | undefined)?.models ?? [];
  const model = typeof first === "string" ? first : first?.id;
  if (model && model !== "*") return `${wanted}/${model}`;
  const why =
    value === undefined
      ? `There is no provider "${wanted}" in the config. Add it: chela provider configure ${wanted}`
      : `${wanted} lists no models. Name one: chela provider use ${wanted}/MODEL`;
  throw new GatewayError("USAGE", 400, why);
}

/** Nobody would sign: that it has not failed yet says nothing. */
function isBare({ auth, candidates }: ProviderRow): boolean {
  return candidates.length === 0 && (auth === "oauth" || auth === "hybrid");
}

function cells(row: ProviderRow): Piece[] {
  const [first = ""] = row.models;
  const more = row.models.length > 1 ? ` +${row.models.length - 1}` : "";
  const spread = row.strategy === "order" || row.candidates.length < 2 ? "" : `, ${row.strategy}`;
  const ready = row.candidates.filter(({ status }) => status === "ready").length;
  return [
    row.primary ? `${row.name} *` : row.name,
    isBare(row) ? styled("yellow", "no login") : styled(colors[row.status] ?? "dim", row.status),
    row.auth,
    row.wire,
    first === "" ? "any" : `${first}${more}`,
    row.auth === "none" && !row.candidates.some(({ kind }) => kind === "relay")
      ? "-"
      : `${ready} of ${row.candidates.length} ready${spread}`,
    row.last_error_reason ?? "",
  ];
}
