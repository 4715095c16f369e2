/** `/api/tools`, `/api/tool_allowlist_groups`, the methods behind the command line, and the settings. */
import { definePlugin, type Plugin, Type } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import { bench } from "./kit.ts";

/** What an MCP plugin would bring. */
function remote(checks: () => unknown): Plugin {
  return definePlugin({
    id: "mcp",
    version: "1.0.0",
    host: "^1.0.0",
    section: "tools.mcp",
    config: Type.Object({
      enabled: Type.Boolean({ default: false }),
      request_timeout_sec: Type.Integer({ default: 20 }),
    }),
    setup(ctx) {
      ctx.method({ name: "mcp.checks", access: "read", handler: checks });
      const input = Type.Object({ q: Type.String() });
      const place = { server: "Docs", tool: "look-up" };
      ctx.tool({
        name: "mcp__docs__look_up",
        about: "looks up",
        input,
        risk: "write",
        access: "write",
        remote: place,
        run: () => "",
      });
    },
  });
}

describe("GET /api/tools", () => {
  it("holds every tool, those of MCP servers once more, and no null", async () => {
    await using one = await bench();
    const reply = await one.host.request("/api/tools");
    expect(reply.headers["content-type"]).toBe("application/json");
    const { tools, mcp_tools, mcp_server_checks, ...rest } = reply.json() as Record<string, Record<string, unknown>[]>;
    expect(rest).toEqual({});
    expect({ mcp_tools, mcp_server_checks }).toEqual({ mcp_tools: [], mcp_server_checks: [] });
    const names = tools?.map(({ name }) => name) ?? [];
    expect(names).toEqual([...names].sort());
    expect(names).toEqual(one.names());
    expect(tools?.find(({ name }) => name === "read_file")).toMatchObject({
      source: "local",
      visibility: { main_agent: true, subagent: "allowlist" },
      description: expect.stringContaining("text file"),
      parameters: { type: "object", required: expect.arrayContaining(["path"]) },
    });
  });

  it("tells an MCP tool's server and its name there, and the checks of the servers", async () => {
    const rows = [{ name: "docs", enabled: true, status: "ok" }];
    await using one = await bench({ plugins: [remote(() => rows)] });
    const { mcp_tools, mcp_server_checks } = (await one.host.request("/api/tools")).json() as Record<string, unknown[]>;
    expect(mcp_server_checks).toEqual(rows);
    expect(mcp_tools).toMatchObject([
      { name: "mcp__docs__look_up", source: "mcp", mcp: { server: "Docs", remote_tool: "look-up" } },
    ]);
  });

  it("is answered when the checks fail", async () => {
    const failing = remote(() => {
      throw new Error("no");
    });
    await using one = await bench({ plugins: [failing] });
    expect((await one.host.request("/api/tools")).json()).toMatchObject({ mcp_server_checks: [] });
  });
});

describe("the section", () => {
  it("leaves tools.mcp to its owner: a change there restarts nothing here", async () => {
    await using one = await bench({ plugins: [remote(() => [])] });
    await one.ok("process", { action: "start", command: "sleep", args: ["300"] });
    const result = await one.host.config.write([{ path: "tools.mcp.request_timeout_sec", value: 30 }], { who: "test" });
    expect(result.restarted).toEqual(["mcp"]);
    expect(await one.ok("process", { action: "list" })).toContain("running");
  });

  it("keeps what ClawGo wrote there, and applies everything live", async () => {
    const tools = {
      shell: { enabled: true, timeout: 60e9, sandbox: { enabled: false, image: "x" } },
      filesystem: {},
      mcp: { enabled: false, servers: {} },
    };
    await using one = await bench({ tools, plugins: [apiConfig] });
    expect(one.host.plugins.list().find(({ id }) => id === "tools")?.state).toBe("running");
    const writes: [string, unknown][] = [
      ["approvals.exec", "allow"],
      ["web.fetch.timeout_sec", 5],
      ["shell.timeout_sec", 5],
      ["audit.retention_days", 5],
    ];
    for (const [key, value] of writes) {
      const result = await one.host.config.write([{ path: `tools.${key}`, value }], { who: "test" });
      expect(result, key).toMatchObject({ applied: [`tools.${key}`], restarted: [] });
    }
    expect(await one.ok("exec", { command: "echo now" })).toBe("now");
    await expect(
      one.host.config.write([{ path: "tools.approvals.exec", value: "maybe" }], { who: "test" }),
    ).rejects.toThrow();
  });
});

describe("methods", () => {
  it("tools.list and tools.info say what the settings mean", async () => {
    await using one = await bench({ tools: { approvals: { tools: { read_file: "deny" } } } });
    const call = (method: string, params: unknown) => one.host.gateway.call(method, params, caller());
    const rows = (await call("tools.list", {})) as Record<string, unknown>[];
    const approvalOf = (name: string) => rows.find((row) => row.name === name)?.approval;
    expect([approvalOf("read_file"), approvalOf("write_file"), approvalOf("exec")]).toEqual(["deny", "allow", "ask"]);
    expect(await call("tools.info", { name: "read_file" })).toMatchObject({
      decidedBy: "tools.approvals.tools.read_file",
      parameters: { type: "object" },
    });
    await expect(call("tools.info", { name: "x" })).rejects.toMatchObject({ status: 404 });
  });
});

function caller() {
  const identity = { id: "token", name: "t", kind: "token", scopes: ["admin"] } as const;
  return { identity, id: "1", signal: new AbortController().signal };
}

describe("settings that no schema can judge", () => {
  const write = async (path: string, value: unknown) => {
    await using one = await bench();
    await one.host.config.write([{ path, value }], { who: "test" });
    return one.host.config.problems().map(({ path: at, message }) => `${at} ${message}`);
  };

  it("refuses a search server that is no web address", async () => {
    await expect(write("tools.web.search.searxng_url", "ftp://x")).rejects.toThrow(
      "tools.web.search.searxng_url must be an http or https URL",
    );
    expect(await write("tools.web.search.searxng_url", "http://127.0.0.1:8888")).toEqual([]);
  });

  it("warns of a rule for a tool that there is not, which would guard nothing", async () => {
    expect(await write("tools.approvals.tools.web_fech", "deny")).toEqual([
      expect.stringMatching(
        /^tools\.approvals\.tools\.web_fech is a rule for "web_fech", and there is no such tool now/,
      ),
    ]);
    for (const tool of ["web_fetch", "mcp__later__x", "remind"])
      expect(await write(`tools.approvals.tools.${tool}`, "deny")).toEqual([]);
  });
});
