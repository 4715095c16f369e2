/** `keys …`: named API keys. They live in the running gateway, which hashes them; a new key is shown this once. */
import { GatewayError } from "@chela/sdk";
import type { Handler } from "./cli.ts";
import { needGateway } from "./client.ts";
import { type Piece, styled } from "./output.ts";
import { localTime } from "./text.ts";
import { textOption } from "./values.ts";

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly state: string;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly limits: KeyLimits;
  readonly spent: { readonly tokens: number; readonly cost: number } | null;
}

interface KeyLimits {
  readonly rpm: number | null;
  readonly tokens: number | null;
  readonly usd: number | null;
  readonly period: string;
}

const scopes = ["read", "write", "admin"];

export const add: Handler = async (cli, [name = ""], options) => {
  const wanted = scopeList(typeof options.scopes === "string" ? options.scopes : "read");
  const gateway = await needGateway(cli, "keys add");
  const params = { name, scopes: wanted, expires: textOption(options.expires), limits: limitsIn(options) };
  const made = (await gateway.call("keys.add", params)) as KeyRow & { readonly key: string };
  await cli.out.show(made, () => {
    cli.out.line(made.key);
    const until = made.expiresAt === null ? "" : `, until ${localTime(made.expiresAt)}`;
    cli.out.note(`Key ${made.id} for ${name} (${wanted.join(", ")}${until}). It is not shown again: keep it now.`);
  });
};

export const limit: Handler = async (cli, [id = ""], options) => {
  const limits = limitsIn(options);
  if (Object.keys(limits).length === 0)
    throw new GatewayError("USAGE", 400, "Name a limit: --rpm, --tokens, --usd or --period.");
  const gateway = await needGateway(cli, "keys limit");
  const row = (await gateway.call("keys.limit", { id, limits })) as KeyRow;
  await cli.out.show(row, () => cli.out.line(`${row.name} (${row.id}): ${limitText(row)}.`));
};

export const list: Handler = async (cli) => {
  const gateway = await needGateway(cli, "keys list");
  const rows = (await gateway.call("keys.list", {})) as readonly KeyRow[];
  await cli.out.show(rows, async () => {
    if (rows.length === 0) cli.out.note("No keys. Make one with: chela keys add NAME --scopes read");
    else await cli.out.table(["id", "name", "scopes", "state", "expires", "last used", "limits"], rows.map(cells));
  });
};

export const revoke: Handler = async (cli, [id = ""]) => {
  const gateway = await needGateway(cli, "keys revoke");
  const result = (await gateway.call("keys.revoke", { id })) as { id: string; name: string; changed: boolean };
  await cli.out.show({ ok: true, ...result }, () => {
    cli.out.line(result.changed ? `Revoked ${result.name} (${result.id}).` : `${result.name} is revoked already.`);
  });
};

function cells(row: KeyRow): Piece[] {
  return [
    row.id,
    row.name,
    row.scopes.join(", "),
    styled(row.state === "active" ? "green" : "red", row.state),
    row.expiresAt === null ? "never" : localTime(row.expiresAt),
    row.lastUsedAt === null ? "never" : localTime(row.lastUsedAt),
    limitText(row),
  ];
}

function limitText({ limits: { rpm, tokens, usd, period }, spent }: KeyRow): string {
  const parts = [
    ...(rpm === null ? [] : [`${rpm} requests/min`]),
    ...(tokens === null ? [] : [`${spent ? `${spent.tokens} of ` : ""}${tokens} tokens/${period}`]),
    ...(usd === null ? [] : [`${spent ? `$${spent.cost.toFixed(2)} of ` : ""}$${usd}/${period}`]),
  ];
  return parts.join(", ") || "no limit";
}

/** What the options say; `none` is null. */
function limitsIn(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const amounts = ["rpm", "tokens", "usd"].flatMap((name) => {
    const text = textOption(options[name]);
    return text === undefined ? [] : [[name, amountOf(name, text)]];
  });
  const period = textOption(options.period);
  return { ...Object.fromEntries(amounts), ...(period === undefined ? {} : { period }) };
}

function amountOf(name: string, text: string): number | null {
  if (text === "none") return null;
  const amount = Number(text);
  if (amount > 0 && (name === "usd" || Number.isInteger(amount))) return amount;
  const what = name === "usd" ? "an amount such as 5 or 0.5" : "a whole number > 0";
  throw new GatewayError("USAGE", 400, `--${name} takes ${what}, or none; not ${JSON.stringify(text)}.`);
}

function scopeList(text: string): string[] {
  const list = text
    .split(",")
    .map((scope) => scope.trim())
    .filter(Boolean);
  const bad = list.find((scope) => !scopes.includes(scope));
  if (list.length > 0 && bad === undefined) return [...new Set(list)];
  const what = JSON.stringify(bad ?? text);
  throw new GatewayError("USAGE", 400, `--scopes takes read, write and admin, separated by commas, not ${what}.`);
}
