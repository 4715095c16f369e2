/** `mcp …`: the MCP servers of the running gateway. */
import { GatewayError, type McpServer } from "@chela/sdk";
import type { Cli, Handler } from "./cli.ts";
import { needGateway } from "./client.ts";
import { type Piece, styled } from "./output.ts";
import { withProgress } from "./progress.ts";
import { textOption } from "./values.ts";

/** A start may download the server first; the gateway gives up by `request_timeout_sec`, after ten minutes at most. */
const startMs = 1_220_000;
const installMs = 620_000;

const colours: Readonly<Record<McpServer["state"], "green" | "yellow" | "red" | "dim">> = {
  up: "green",
  idle: "green",
  starting: "yellow",
  waiting: "yellow",
  failed: "red",
  disabled: "dim",
};

export const list: Handler = async (cli) => {
  const gateway = await needGateway(cli, "mcp list");
  const { enabled, servers, checks } = (await gateway.call("mcp.list", {})) as {
    enabled: boolean;
    servers: readonly McpServer[];
    checks: readonly unknown[];
  };
  await cli.out.show({ enabled, servers, checks }, async () => {
    if (!enabled) cli.out.note("MCP is switched off. Switch it on with: chela config set tools.mcp.enabled true");
    if (servers.length === 0) cli.out.note("No servers. Add one with: chela mcp add NAME -- COMMAND");
    else await cli.out.table(["name", "transport", "state", "tools", "reason"], servers.map(cells));
    if (servers.some(({ state }) => state === "failed" || state === "waiting"))
      cli.out.note("Try a server at once, without a pause, with: chela mcp test NAME");
  });
};

export const test: Handler = async (cli, [name = ""]) => {
  const gateway = await needGateway(cli, "mcp test");
  const options = { timeoutMs: startMs };
  const test = () => gateway.call("mcp.test", { name }, options);
  const row = (await withProgress(cli, `Asking ${name}`, test)) as McpServer & { ok: boolean; ms: number };
  await cli.out.show(row, () =>
    row.ok ? told(cli, row, `answered in ${row.ms} ms`) : told(cli, row, `does not answer: ${row.reason}`),
  );
  return row.ok ? 0 : 1;
};

export const restart: Handler = async (cli, [name = ""]) => {
  const gateway = await needGateway(cli, "mcp restart");
  const again = () => gateway.call("mcp.restart", { name }, { timeoutMs: startMs });
  const row = (await withProgress(cli, `Starting ${name}`, again)) as McpServer;
  await cli.out.show({ ok: true, ...row }, () => told(cli, row, "is up again"));
};

export const add: Handler = async (cli, [name = "", command = "", ...args], options) => {
  const url = textOption(options.address);
  if ((command === "") === (url === undefined))
    throw new GatewayError(
      "USAGE",
      400,
      "Give either a command after -- or an --address: chela mcp add NAME -- COMMAND ARGS",
    );
  const common = {
    enabled: true,
    working_dir: textOption(options.workingDir),
    description: textOption(options.description),
  };
  const place = url
    ? { transport: options.sse ? "sse" : "http", url, headers: header(textOption(options.header)) }
    : { transport: "stdio", command, args, env: pairs(textOption(options.env)) };
  const gateway = await needGateway(cli, "mcp add");
  const server = { ...common, ...place };
  const result = (await gateway.call("mcp.add", { name, server })) as { changed: boolean; added: boolean };
  await cli.out.show({ ok: true, ...result }, () => {
    const word = result.added ? "Added" : "Changed";
    cli.out.line(result.changed ? `${word} ${name}.` : `${name} is there already, just so.`);
    cli.out.note(`See whether it comes up with: chela mcp test ${/^[\w-]+$/.test(name) ? name : `'${name}'`}`);
  });
};

export const remove: Handler = async (cli, [name = ""]) => {
  const gateway = await needGateway(cli, "mcp remove");
  const result = (await gateway.call("mcp.remove", { name })) as { changed: boolean };
  await cli.out.show({ ok: true, ...result }, () =>
    cli.out.line(result.changed ? `Removed ${name}.` : `There is no MCP server "${name}".`),
  );
};

export const install: Handler = async (cli, [wanted = ""], options) => {
  const gateway = await needGateway(cli, "mcp install");
  const params = { package: wanted, installer: textOption(options.with) ?? "uv" };
  const run = () => gateway.call("mcp.install", params, { timeoutMs: installMs });
  const result = (await withProgress(cli, `Installing ${wanted}`, run)) as { output: string; bin_path: string };
  await cli.out.show(result, () => {
    cli.out.line(result.output);
    cli.out.note(`Use it with: chela mcp add NAME -- ${result.bin_path}`);
  });
};

function told(cli: Cli, row: McpServer, what: string): void {
  cli.out.line(`${row.name} ${what}${row.remote ? ` (${row.remote}, protocol ${row.protocol})` : ""}`);
  for (const tool of row.tools) cli.out.line(`  ${tool}`);
  for (const { tool, reason } of row.refused) cli.out.note(`  left out: ${tool}: ${reason}`);
}

function cells({ name, transport, state, tools, reason }: McpServer): Piece[] {
  return [name, transport, styled(colours[state], state), String(tools.length), reason];
}

function pairs(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  const entries = text.split(",").map((pair) => {
    const at = pair.indexOf("=");
    if (at > 0) return [pair.slice(0, at).trim(), pair.slice(at + 1)] as const;
    throw new GatewayError(
      "USAGE",
      400,
      `--env takes NAME=value pairs separated by commas, not ${JSON.stringify(pair)}.`,
    );
  });
  return Object.fromEntries(entries);
}

function header(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  const at = text.indexOf(":");
  if (at > 0) return { [text.slice(0, at).trim()]: text.slice(at + 1).trim() };
  throw new GatewayError("USAGE", 400, "--header takes 'Name: value'.");
}
