/** ClawGo's cases about MCP: T6, T7, T8, C10, and the rows of `mcp_server_checks`. */
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { mcp, tools } from "@chela/sdk";
import { expect, it } from "vitest";
import { tempDir } from "../kit/temp.ts";
import { hostileServer, mcpHost, slow, stdio, turn } from "../plugins/mcp/kit.ts";
import { simulatedMcp } from "../simulators/mcp/http.ts";

const options = { timeout: slow * 2 };

it("T6: list_servers hides disabled; list_tools; call_tool", options, async () => {
  const server = stdio(hostileServer, ["plain"], { description: "Plain." });
  const { call, tool } = await mcpHost({ plain: server, off: { ...server, enabled: false } });
  await tool("mcp__plain__work");
  expect(JSON.parse((await call("mcp", { action: "list_servers" })).output).servers).toEqual([
    { name: "plain", transport: "stdio", description: "Plain.", state: "up", reason: "", tools: 1 },
  ]);
  expect(JSON.parse((await call("mcp", { action: "list_tools", server: "plain" })).output).tools).toMatchObject([
    { name: "work", as: "mcp__plain__work", description: "Works." },
  ]);
  expect(await call("mcp", { action: "call_tool", server: "plain", tool: "work" })).toEqual({
    ok: true,
    output: "done",
  });
  expect(await call("mcp", { action: "list_tools", server: "off" })).toMatchObject({
    ok: false,
    output: expect.stringContaining('MCP server "off" is disabled'),
  });
});

it("T6: call_tool is no way around an allowlist", options, async () => {
  const { host, tool } = await mcpHost({ plain: stdio(hostileServer, ["plain"]) });
  await tool("mcp__plain__work");
  const input = JSON.stringify({ action: "call_tool", server: "plain", tool: "work" });
  const run = (allowed: readonly string[]) =>
    host.service(tools).run({ id: "1", name: "mcp", arguments: input }, { ...turn(), tools: allowed });
  expect(await run(["mcp"])).toMatchObject({ ok: false, output: expect.stringContaining("mcp__plain__work") });
  expect(await run(["mcp", "mcp__plain__work"])).toMatchObject({ ok: true, output: "done" });
});

it.each([
  ["http", "/mcp"],
  ["sse", "/sse"],
])("T6: %s, where a notification has no id", options, async (transport, path) => {
  const { url, received } = await simulatedMcp();
  const headers = { authorization: "Bearer operator-secret" };
  const { call, tool } = await mcpHost({
    "Context7 Server": { enabled: true, transport, url: `${url}${path}`, headers },
  });
  await tool("mcp__context7_server__resolve_library_id");
  expect(await call("mcp__context7_server__resolve_library_id")).toEqual({
    ok: true,
    output: 'one\n\ntwo\n\n{"three":3}',
  });
  const messages = received.flatMap(({ message }) => (message ? [message] : []));
  expect(messages.map(({ method }) => method)).toEqual([
    "initialize",
    "notifications/initialized",
    "tools/list",
    "tools/call",
  ]);
  expect(messages.filter((message) => "id" in message).map(({ method }) => method)).toEqual([
    "initialize",
    "tools/list",
    "tools/call",
  ]);
  expect(received.every((each) => each.headers.authorization === "Bearer operator-secret")).toBe(true);
  if (transport === "sse") expect(received[0]).toMatchObject({ method: "GET", path: "/sse" });
});

it("T6: headers do not follow a redirect to another origin", options, async () => {
  const other = await simulatedMcp();
  const first = await simulatedMcp({ redirectTo: `${other.url}/mcp` });
  const server = {
    enabled: true,
    transport: "http",
    url: `${first.url}/mcp`,
    headers: { "x-api-key": "operator-secret" },
  };
  const { row } = await mcpHost({ moved: server });
  await row("moved", ({ state }) => state === "waiting");
  expect(first.received.length).toBeGreaterThan(0);
  expect(other.received).toEqual([]);
});

it("T7: names of remote tools", options, async () => {
  const { url } = await simulatedMcp();
  const settings = { enabled: true, transport: "http", url: `${url}/mcp` };
  const { tool } = await mcpHost({ "Context7 Server": settings });
  expect(await tool("mcp__context7_server__resolve_library_id")).toMatchObject({
    about: "Resolves. (MCP server: Context7 Server, remote tool: resolve-library.id)",
  });
});

it("T8: working_dir relative joins the workspace; outside only with permission full", options, async () => {
  const outside = realpathSync(tempDir("outside"));
  const at = (working_dir: string, more: object = {}) => stdio(hostileServer, ["cwd"], { working_dir, ...more });
  const stateDir = tempDir("state");
  mkdirSync(join(stateDir, "workspace"));
  const { call, tool, host } = await mcpHost(
    { sub: at("a/b"), none: at(""), full: at(outside, { permission: "full" }) },
    { stateDir },
  );
  const workspace = join(realpathSync(host.stateDir), "workspace");
  for (const [name, folder] of [
    ["sub", join(workspace, "a/b")],
    ["none", workspace],
    ["full", outside],
  ] as const) {
    await tool(`mcp__${name}__work`);
    expect((await call(`mcp__${name}__work`)).output).toBe(folder);
  }
  const write = (working_dir: string, more: object = {}) =>
    host.config.write([{ path: "tools.mcp.servers.bad", value: at(working_dir, more) }], { who: "test" });
  const refused = "tools.mcp.servers.bad.working_dir must stay within workspace unless permission=full";
  for (const folder of [outside, "../..", "a/../../b", ".."]) await expect(write(folder)).rejects.toThrow(refused);
  await expect(write("relative", { permission: "full" })).rejects.toThrow(
    "tools.mcp.servers.bad.working_dir must be an absolute path when permission=full",
  );
});

it("C10: the validator's texts, only while enabled", options, async () => {
  const { host } = await mcpHost({});
  const write = (value: object) => host.config.write([{ path: "tools.mcp", value }], { who: "test" });
  const servers = {
    bad: { enabled: true, transport: "ws" },
    command: { enabled: true },
    url: { enabled: true, transport: "streamable_http" },
    permission: { enabled: true, command: "x", permission: "all" },
    full: { enabled: true, command: "demo", permission: "full", working_dir: "relative" },
    off: { enabled: false, transport: "nonsense" },
  };
  const error = await write({ enabled: true, request_timeout_sec: 0, servers }).catch((caught: unknown) => caught);
  expect((error as { details: { errors: string[] } }).details.errors).toEqual([
    "tools.mcp.request_timeout_sec must be > 0 when tools.mcp.enabled=true",
    "tools.mcp.servers.bad.transport must be one of: stdio, http, streamable_http, sse",
    "tools.mcp.servers.command.command is required when transport=stdio",
    "tools.mcp.servers.url.url is required when transport=streamable_http",
    "tools.mcp.servers.permission.permission must be one of: workspace, full",
    "tools.mcp.servers.full.working_dir must be an absolute path when permission=full",
  ]);
  await write({ enabled: false, request_timeout_sec: 0, servers });
});

it("the rows of mcp_server_checks", options, async () => {
  const { host } = await mcpHost({
    absolute: { enabled: true, command: process.execPath, args: ["x"] },
    empty: { enabled: false, command: "" },
    gone: { enabled: true, command: "/nonexistent/program" },
    http: { enabled: true, transport: "http", url: "http://127.0.0.1:1/mcp" },
    named: { enabled: true, command: "not-there", package: "@scope/thing" },
    pip: { enabled: true, command: "/nonexistent/python3", args: ["-m", "server_thing"] },
    uv: { enabled: true, command: "/nonexistent/uvx", args: ["--quiet", "mcp-server-time"] },
  });
  const checks = await host.service(mcp).checks();
  const base = {
    package: "",
    installer: "",
    installable: false,
    missing_command: false,
    resolved: "",
    transport: "stdio",
    enabled: true,
  };
  expect(checks).toEqual([
    {
      ...base,
      name: "absolute",
      status: "ok",
      message: "command found",
      command: process.execPath,
      resolved: process.execPath,
    },
    { ...base, name: "empty", enabled: false, status: "disabled", message: "server is disabled", command: "" },
    {
      ...base,
      name: "gone",
      status: "missing_command",
      message: "command not found: /nonexistent/program",
      command: "/nonexistent/program",
      missing_command: true,
    },
    {
      ...base,
      name: "http",
      transport: "http",
      status: "not_applicable",
      message: "command check not required for non-stdio transport",
      command: "",
    },
    {
      ...base,
      name: "named",
      status: "missing_command",
      message: "command not found in PATH: not-there",
      command: "not-there",
      package: "@scope/thing",
      missing_command: true,
    },
    {
      ...base,
      name: "pip",
      status: "missing_command",
      message: "command not found: /nonexistent/python3",
      command: "/nonexistent/python3",
      package: "server_thing",
      installer: "pip",
      missing_command: true,
    },
    {
      ...base,
      name: "uv",
      status: "missing_command",
      message: "command not found: /nonexistent/uvx",
      command: "/nonexistent/uvx",
      package: "mcp-server-time",
      installer: "uv",
      installable: true,
      missing_command: true,
    },
  ]);
});
