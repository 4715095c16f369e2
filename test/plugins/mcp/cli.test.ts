/** `chela mcp …` against a running gateway. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import api from "../../../plugins/api-config/index.ts";
import { runMain } from "../../kit/cli.ts";
import { tempDir } from "../../kit/temp.ts";
import { hostileServer, isAlive, mcpHost, rowOf, slow } from "./kit.ts";

it("adds, lists, tests, restarts and removes a server", { timeout: slow * 2 }, async () => {
  const { host, tool } = await mcpHost({}, { port: 0, beside: [api], more: { enabled: false } });
  const env = { CHELA_GATEWAY_URL: host.url, CHELA_GATEWAY_TOKEN: host.token };
  const cli = (...args: string[]) => runMain(["mcp", ...args], { env });
  expect((await cli("list")).stderr).toContain("MCP is switched off");
  const added = await cli("add", "My files", "--env", "KEY=secret-value", "--", process.execPath, hostileServer, "env");
  expect(added).toMatchObject({ code: 0, stdout: "Added My files.\n" });
  const written = JSON.parse(readFileSync(host.config.path, "utf8")).tools.mcp.servers["My files"];
  expect(written).toEqual({
    enabled: true,
    ...{ command: process.execPath, args: [hostileServer, "env"], env: { KEY: "secret-value" } },
  });
  const again = await cli("add", "My files", "--env", "KEY=secret-value", "--", process.execPath, hostileServer, "env");
  expect(again).toMatchObject({ code: 0, stdout: "My files is there already, just so.\n" });
  expect(again.stderr).toContain("chela mcp test 'My files'");
  await tool("mcp__my_files__work");
  const tested = await cli("test", "My files");
  expect(tested.stdout).toMatch(
    /^My files answered in \d+ ms \(hostile env 1, protocol 2025-11-25\)\n {2}mcp__my_files__work\n$/,
  );
  const before = rowOf(host, "My files")?.pid as number;
  expect((await cli("restart", "My files", "--json")).json()).toMatchObject({ ok: true, state: "up", restarts: 1 });
  expect(isAlive(before)).toBe(false);
  const listed = await cli("list", "--json");
  expect(listed.json()).toMatchObject({
    enabled: true,
    servers: [{ name: "My files", state: "up", tools: ["mcp__my_files__work"] }],
  });
  expect(listed.stdout).not.toContain("secret-value");
  expect(JSON.stringify(host.config.view())).not.toContain("secret-value");
  expect((await cli("list")).stdout).toMatch(/My files +stdio +up +1/);
  expect(await cli("remove", "My files")).toMatchObject({ code: 0, stdout: "Removed My files.\n" });
  expect(await cli("remove", "My files")).toMatchObject({ code: 0, stdout: `There is no MCP server "My files".\n` });
  expect(rowOf(host, "My files")).toBeUndefined();
});

it.each(["enable", "a.b [c]", `it's "x"\\`, "服务器"])("takes %s for a name", { timeout: slow }, async (name) => {
  const { host } = await mcpHost({}, { port: 0, beside: [api] });
  const env = { CHELA_GATEWAY_URL: host.url, CHELA_GATEWAY_TOKEN: host.token };
  const cli = (...args: string[]) => runMain(["mcp", ...args], { env });
  expect(await cli("add", name, "--", process.execPath, hostileServer, "plain")).toMatchObject({ code: 0 });
  expect((await cli("test", name)).stdout).toContain("__work");
  expect((await cli("list", "--json")).json()).toMatchObject({ servers: [{ name, state: "up" }] });
  expect(await cli("remove", name)).toMatchObject({ code: 0, stdout: `Removed ${name}.\n` });
  expect(rowOf(host, name)).toBeUndefined();
});

it("says what is wrong", { timeout: slow }, async () => {
  const { host } = await mcpHost({ gone: { enabled: true, command: "no-such-program" } }, { port: 0, beside: [api] });
  const env = { CHELA_GATEWAY_URL: host.url, CHELA_GATEWAY_TOKEN: host.token };
  const cli = (...args: string[]) => runMain(["mcp", ...args], { env });
  const failed = await cli("test", "gone");
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain("gone does not answer: command not found in PATH: no-such-program");
  const health = (await runMain(["health"], { env })).stdout;
  expect(health).toMatch(
    /^failed +mcp +servers +reason=gone: command not found in PATH: no-such-program servers=gone \(/m,
  );
  expect((await runMain(["doctor"], { env })).stdout).toContain("mcp: servers: gone: command not found in PATH");
  expect((await cli("test", "nobody")).stderr).toContain('there is no MCP server "nobody"; there are: gone');
  expect((await cli("add", "x")).stderr).toContain("Give either a command after -- or an --address");
  expect((await cli("add", "x", "--address", "ftp://x")).stderr).toContain(
    "tools.mcp.servers.x.url must be an http or https address",
  );
  expect((await cli("install", "--with", "npm", "--", "--global")).stderr).toContain("is no package name");
});

it("tries a server that was mended at once, whatever pause it is in", { timeout: slow }, async () => {
  const command = join(tempDir("mcp"), "server");
  const { host, row } = await mcpHost({ late: { enabled: true, command } }, { port: 0, beside: [api] });
  const env = { CHELA_GATEWAY_URL: host.url, CHELA_GATEWAY_TOKEN: host.token };
  const cli = (...args: string[]) => runMain(["mcp", ...args], { env });
  await row("late", ({ state }) => state === "failed");
  expect((await cli("list")).stderr).toContain("chela mcp test NAME");
  expect((await cli("test", "late")).code).toBe(1);
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${hostileServer}" plain\n`, { mode: 0o755 });
  expect((await cli("test", "late")).stdout).toContain("late answered in");
  expect((await cli("list")).stderr).toBe("");
});
