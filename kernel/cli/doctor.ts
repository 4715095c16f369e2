/** `doctor`: looks at this installation with and without a gateway, and says what to do. Changes nothing. */
import type { Cli, Handler } from "./cli.ts";
import { checks } from "./doctor-checks.ts";
import type { Check, Finding } from "./doctor-finding.ts";
import { failureOf } from "./failure.ts";
import { type Piece, styled } from "./output.ts";

export const doctor: Handler = async (cli) => {
  const findings: Finding[] = [];
  // What a check meets on its way is in its findings already.
  const quiet = { ...cli, out: { ...cli.out, note: () => undefined } };
  for (const check of checks) findings.push(...(await run(quiet, check)));
  const ok = findings.every((finding) => finding.ok);
  await cli.out.show({ ok, findings }, async () => {
    await cli.out.table([], findings.map(cells));
    for (const { check, fix, ok: fine } of findings) if (!fine && fix) cli.out.line(styled("bold", `${check}: `), fix);
    cli.out.line(ok ? styled("green", "All is well.") : styled("red", "Something needs your hand."));
  });
  return ok ? 0 : 1;
};

/** A check that cannot be made is itself a finding. */
async function run(cli: Cli, check: Check): Promise<readonly Finding[]> {
  try {
    return await check.run(cli);
  } catch (error) {
    const { code, message } = failureOf(error);
    const fix = code === "EACCES" || code === "EPERM" ? "Run this as the user who runs the gateway." : "";
    return [{ check: check.name, ok: false, message, fix }];
  }
}

function cells({ check, ok, message }: Finding): Piece[] {
  return [ok ? styled("green", "ok") : styled("red", "failed"), check, message];
}
