/** `tools …`: what agents can do, doing it oneself, and the record of what was done. */
import { GatewayError } from "@chela/sdk";
import type { Handler } from "./cli.ts";
import { needGateway } from "./client.ts";
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

const colours = { allow: "green", ask: "yellow", deny: "red", ok: "green", failed: "yellow", denied: "red" } as const;

export const list: Handler = async (cli) => {
  const gateway = await needGateway(cli, "tools list");
  const rows = (await gateway.call("tools.list", {})) as readonly ToolRow[];
  await cli.out.show(rows, () =>
    cli.out.table(
      ["tool", "risk", "approval", "access", "plugin", "about"],
      rows.map((row) => [row.name, row.risk, coloured(row.approval), row.access, row.owner, shortened(row.about, 60)]),
    ),
  );
};

export const info: Handler = async (cli, [name = ""]) => {
  const gateway = await needGateway(cli, "tools info");
  const row = (await gateway.call("tools.info", { name })) as ToolRow & { readonly parameters: unknown };
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
  const answer = (await gateway.call("tools.invoke", params, { timeoutMs })) as { ok: boolean; output: string };
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

function cells(row: AuditRow): Piece[] {
  const { at, tool, outcome, identity, session, ms } = row;
  return [localTime(at), tool, coloured(outcome), identity, session ?? "", String(ms), shortened(row.arguments, 60)];
}

function coloured(word: string): Piece {
  return Object.hasOwn(colours, word) ? styled(colours[word as keyof typeof colours], word) : word;
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

function argumentsOf(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new GatewayError(
    "USAGE",
    400,
    `The input must be one JSON object. Quote it for the shell: '{"path":"a.txt"}'.`,
  );
}
