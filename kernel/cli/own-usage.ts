/** `usage --me`: what the credential in use has used itself, and what is left of its limits. */
import type { Cli } from "./cli.ts";
import type { Gateway } from "./client.ts";
import { localTime } from "./text.ts";

interface Limit {
  readonly limit: "requests" | "tokens" | "usd";
  readonly per: string;
  readonly max: number;
  readonly used: number;
  readonly reserved: number;
  readonly remaining: number;
  readonly resetsAt: number;
}

interface Own {
  readonly name: string;
  readonly period: string;
  readonly used: { readonly calls: number; readonly tokens: number; readonly cost: number } | null;
  readonly limits: readonly Limit[];
}

export async function showOwn(cli: Cli, gateway: Gateway): Promise<void> {
  const own = (await gateway.call("usage.me", {})) as Own;
  await cli.out.show(own, async () => {
    if (own.limits.length > 0)
      await cli.out.table(["limit", "of", "used", "running", "left", "anew"], own.limits.map(cells));
    const limits = own.limits.length === 0 ? " There is no limit." : "";
    cli.out.note(`${own.name}: ${usedText(own)}.${limits}`);
  });
}

function cells({ limit, per, max, used, reserved, remaining, resetsAt }: Limit): string[] {
  const name = `${limit === "usd" ? "dollars" : limit}/${per}`;
  const amounts = [max, used, reserved, remaining].map((value) => amount(limit, value));
  return [name, ...amounts, localTime(resetsAt)];
}

function amount(limit: Limit["limit"], value: number): string {
  return limit === "usd" ? `$${value.toFixed(2)}` : value.toLocaleString("en-US");
}

function usedText({ used, period }: Own): string {
  if (!used) return "what was used cannot be measured without the plugin usage";
  return `${amount("requests", used.calls)} calls, ${amount("tokens", used.tokens)} tokens, $${used.cost.toFixed(2)} this ${period}`;
}
