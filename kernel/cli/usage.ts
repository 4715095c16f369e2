/** `usage`: what model calls used and cost, as a table. */
import { GatewayError } from "@chela/sdk";
import type { Cli, Handler } from "./cli.ts";
import { type Gateway, needGateway } from "./client.ts";
import { type Piece, styled } from "./output.ts";
import { integerOption, textOption } from "./values.ts";

interface Totals {
  readonly calls: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly cost: number | null;
  readonly unpriced: number;
}

interface Answer {
  readonly by: string;
  readonly total: Totals;
  readonly rows: readonly (Totals & { readonly name: string })[];
}

const questions = ["by", "since", "until", "model", "key", "session"] as const;
const filters = [...questions, "limit"] as const;

export const usage: Handler = async (cli, _args, options) => {
  if (options.me === true) return own(cli, options);
  const gateway = await needGateway(cli, "usage");
  const limit = integerOption(options.limit, "--limit", { min: 1, max: 1_000 });
  const given = questions
    .map((name) => [name, textOption(options[name])] as const)
    .filter(([, value]) => value !== undefined);
  const asked = Object.fromEntries(given);
  const keys = asked.by === "key" || asked.key !== undefined ? await keysOf(gateway) : [];
  const key = keys.find(({ name }) => name === asked.key)?.id;
  const params = { ...asked, ...(key && { key }), ...(limit && { limit }) };
  const answer = (await gateway.call("usage.totals", params)) as Answer;
  await cli.out.show(answer, async () => {
    if (answer.rows.length === 0) {
      cli.out.note("No model was asked in that time.");
      return;
    }
    const names = new Map(keys.map(({ id, name }) => [`key:${id}`, `${name} (${id})`]));
    const rows = answer.rows.map((row) => cells(row.name === "" ? "-" : (names.get(row.name) ?? row.name), row));
    const head = [answer.by === "identity" ? "key" : answer.by, "calls", "failed", "input", "output", "cached", "cost"];
    await cli.out.table(head, [...rows, cells(styled("bold", "total"), answer.total)]);
    if (answer.total.unpriced > 0) cli.out.note(unpriced(answer.total));
  });
};

async function own(cli: Cli, options: Readonly<Record<string, unknown>>): Promise<void> {
  const others = filters.filter((name) => options[name] !== undefined);
  if (others.length > 0)
    throw new GatewayError("USAGE", 400, `--me takes no other option: leave out --${others.join(", --")}.`);
  await (await import("./own-usage.ts")).showOwn(cli, await needGateway(cli, "usage"));
}

interface Key {
  readonly id: string;
  readonly name: string;
}

/** Records carry ids. None where there is no plugin for keys, or no right to list them. */
async function keysOf(gateway: Gateway): Promise<readonly Key[]> {
  return (await gateway.call("keys.list", {}).catch(() => [])) as readonly Key[];
}

function cells(name: Piece, row: Totals): Piece[] {
  const { calls, failed, inputTokens, outputTokens, cachedTokens } = row;
  const failures = failed === 0 ? "0" : styled("red", count(failed));
  return [name, count(calls), failures, count(inputTokens), count(outputTokens), count(cachedTokens), cost(row)];
}

/** Calls without a price make it a lower bound. */
function cost({ cost: dollars, unpriced: open }: Totals): string {
  if (dollars === null) return "unknown";
  const digits = dollars > 0 && dollars < 1 ? 4 : 2;
  return `${open > 0 ? ">= " : ""}$${dollars.toFixed(digits)}`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function unpriced({ unpriced: open, calls }: Totals): string {
  return `The price of ${count(open)} of ${count(calls)} calls is not known. Set one with: chela config set usage.prices '{"provider/model":{"input":1,"output":2}}'`;
}
