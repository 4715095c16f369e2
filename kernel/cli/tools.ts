/** `tools …`: what agents can do, doing it oneself, and the record of what was done. */
import { cutText, GatewayError, isObject } from "@chela/sdk";
import { didYouMean } from "../nearest.ts";
import type { Handler } from "./cli.ts";
import { type Gateway, needGateway } from "./client.ts";
import { type Piece, styled } from "./output.ts";
import { localTime } from "./text.ts";
import { integerOption, textOption } from "./values.ts";

interface ToolRow {
  readonly name: string;
  readonly about: string;
  readonly access: string;
  readonly risk: string;
  readonly approval: string;
  readonly decidedBy: string;
  readonly owner: string;
}

interface AuditRow {
  readonly at: number;
  readonly tool: string;
  readonly identity: string;
  readonly session: string | null;
  readonly outcome: string;
  readonly arguments: string;
  readonly ms: number;
}

interface Answer {
  readonly ok: boolean;
  readonly output: string;
}

const colours = { allow: "green", ask: "yellow", deny: "red", ok: "green", failed: "yellow", denied: "red" } as const;

export const list: Handler = async (cli) => {
  const gateway = await needGateway(cli, "tools list");
  const rows = (await gateway.call("tools.list", {})) as readonly ToolRow[];
  await cli.out.show(rows, () =>
    cli.out.table(
      ["tool", "risk", "approval", "access", "plugin", "about"],
      rows.map((row) => [
        row.name,
        row.risk,
        coloured(row.approval),
        row.access,
        row.owner,
        cutText(row.about, 59, "…"),
      ]),
    ),
  );
};

export const info: Handler = async (cli, [name = ""]) => {
  const gateway = await needGateway(cli, "tools info");
  const row = (await gateway.call("tools.info", { name }).catch(nearby(gateway, name))) as ToolRow & {
    readonly parameters: unknown;
  };
  await cli.out.show(row, () => {
    cli.out.line(styled("bold", row.name), `  ${row.about}`);
    cli.out.line(`Risk ${row.risk}; approval: `, coloured(row.approval), ` (${row.decidedBy}); access ${row.access}.`);
    cli.out.text(`${JSON.stringify(row.parameters, null, 2)}\n`);
  });
};

export const run: Handler = async (cli, [tool = "", json], options) => {
  const timeoutMs = integerOption(options.timeout, "--timeout", { min: 1, max: 3_600_000 }) ?? 600_000;
  const params = { tool, args: json === undefined ? {} : argumentsOf(json), session: textOption(options.session) };
  const gateway = await needGateway(cli, `tools run ${tool}`);
  const answer = (await gateway.call("tools.invoke", params, { timeoutMs }).catch(nearby(gateway, tool))) as Answer;
  await cli.out.show(answer, () => {
    if (answer.ok) cli.out.text(`${answer.output}\n`);
    else cli.out.error(answer.output);
  });
  return answer.ok ? 0 : 1;
};

export const audit: Handler = async (cli, _args, options) => {
  const limit = integerOption(options.limit, "--limit", { min: 1, max: 1_000 });
  const { tool, session, outcome } = options;
  const gateway = await needGateway(cli, "tools audit");
  const params = { limit, tool, session, outcome };
  const reply = (await gateway.call("tools.audit", params)) as { kept: boolean; calls: readonly AuditRow[] };
  await cli.out.show(reply.calls, async () => {
    if (!reply.kept) cli.out.note("Without the plugin store no calls are kept; the log has them: chela logs");
    else if (reply.calls.length === 0) cli.out.note("No calls yet.");
    else await cli.out.table(["time", "tool", "outcome", "who", "session", "ms", "arguments"], reply.calls.map(cells));
  });
};

/** A tool that there is not, with the one that may have been meant. */
function nearby(gateway: Gateway, name: string): (error: unknown) => Promise<never> {
  return async (error) => {
    if (!GatewayError.is(error) || error.code !== "TOOL_UNKNOWN") throw error;
    const rows = (await gateway.call("tools.list", {}).catch(() => [])) as readonly ToolRow[];
    const names = rows.map((row) => row.name);
    const message = `There is no tool "${name.slice(0, 100)}".${didYouMean(name, names)} See: chela tools list`;
    throw new GatewayError(error.code, error.status, message);
  };
}

function cells(row: AuditRow): Piece[] {
  const { at, tool, outcome, identity, session, ms } = row;
  return [localTime(at), tool, coloured(outcome), identity, session ?? "", String(ms), cutText(row.arguments, 59, "…")];
}

function coloured(word: string): Piece {
  return Object.hasOwn(colours, word) ? styled(colours[word as keyof typeof colours], word) : word;
}

function argumentsOf(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json);
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new GatewayError(
    "USAGE",
    400,
    `The input must be one JSON object. Quote it for the shell: '{"path":"a.txt"}'.`,
  );
}
