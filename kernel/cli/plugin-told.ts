/** How a plugin's state is shown, and what became of it after a change. */
import type { ChangeResult, PluginRow } from "@chela/sdk";
import type { Cli } from "./cli.ts";
import { failureOf } from "./failure.ts";
import { type Piece, styled } from "./output.ts";
import type { PluginDoor } from "./plugin-door.ts";

const styles = {
  running: "green",
  disabled: "dim",
  waiting: "yellow",
  starting: "yellow",
  stopping: "yellow",
} as const;

/** A plugin that answers the call itself changes after the answer. */
async function announced(cli: Cli, id: string, result: ChangeResult): Promise<number> {
  const data = { ok: true, id, state: "stopping", reason: "it changes after this answer", changed: true, ...result };
  await cli.out.show(data, () => cli.out.line(`${id} changes in a moment; see: chela status`));
  return 0;
}

/** Who switches off what answers calls gets no further answer. */
function none(error: unknown): readonly PluginRow[] {
  if (failureOf(error).code === "GATEWAY_NO_RPC") return [];
  throw error;
}

/** What became of the plugin; one that should run and does not makes the exit code 1. */
export async function told(
  cli: Cli,
  door: PluginDoor,
  id: string,
  what: { result: ChangeResult | undefined; line: string; facts?: object },
): Promise<number> {
  if (what.result?.pending.includes(id)) return await announced(cli, id, what.result);
  const row = (await door.list().catch(none)).find((candidate) => candidate.id === id);
  const failed = what.result?.failed ?? [];
  const bad = failed.length > 0 || (row !== undefined && ["failed", "quarantined", "incompatible"].includes(row.state));
  const state = row ? { version: row.version, state: row.state, reason: row.reason } : {};
  const data = { ok: !bad, id, ...state, changed: what.result !== undefined, ...what.facts, ...what.result };
  await cli.out.show(data, () => {
    cli.out.line(
      `${what.line}${row ? ": " : "."}`,
      row ? paintState(row.state) : "",
      row?.reason ? `, ${row.reason}` : "",
    );
    for (const one of failed) if (one.id !== id) cli.out.line("  ", styled("red", `${one.id}: `), one.reason);
  });
  return bad ? 1 : 0;
}

export function paintState(state: PluginRow["state"]): Piece {
  return styled(state in styles ? styles[state as keyof typeof styles] : "red", state);
}
