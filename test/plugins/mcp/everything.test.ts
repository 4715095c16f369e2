/** The official test server, over each transport: its tools, resources and prompts as an agent gets them. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { until } from "../../kit/until.ts";
import { everything, mcpHost, rowOf, slow, stdio } from "./kit.ts";

it("offers the tools of a stdio server and runs them", { timeout: slow * 2 }, async () => {
  const { call, tool, row, names } = await mcpHost({ every: stdio(everything, ["stdio"]) });
  const echo = await tool("mcp__every__echo");
  expect(echo).toMatchObject({
    about: "Echoes back the input string (MCP server: every, remote tool: echo)",
    risk: "read",
    access: "write",
    remote: { server: "every", tool: "echo" },
    input: { type: "object", required: ["message"] },
  });
  expect(await call("mcp__every__echo", { message: "hello" })).toEqual({ ok: true, output: "Echo: hello" });
  expect(await call("mcp__every__echo", { message: 7 })).toMatchObject({
    ok: false,
    output: expect.stringContaining("message must be string"),
  });
  expect((await call("mcp__every__get_tiny_image")).output).toBe(
    "Here's the image you requested:\n\n[image: image/png, 4035 bytes]\n\nThe image above is the MCP logo.",
  );
  const structured = await call("mcp__every__get_structured_content", { location: "New York" });
  expect(JSON.parse(structured.output)).toMatchObject({ temperature: expect.any(Number) });
  expect((await call("mcp__every__get_sum", { a: 2, b: 3 })).output).toContain("5");
  expect(names()).toContain("mcp");
  expect(await row("every")).toMatchObject({
    state: "up",
    remote: "mcp-servers/everything 2.0.0",
    protocol: "2025-11-25",
  });
  // It lists this one only after it has seen our roots: list_changed.
  await tool("mcp__every__get_roots_list");
});

it("reads resources and prompts through the generic tool", { timeout: slow * 2 }, async () => {
  const { call, tool } = await mcpHost({
    every: stdio(everything, ["stdio"]),
    off: { enabled: false, command: "nothing" },
  });
  await tool("mcp__every__echo");
  const mcp = async (input: object) => {
    const { ok, output } = await call("mcp", input);
    expect(output).toSatisfy(() => ok);
    return output;
  };
  expect(JSON.parse(await mcp({ action: "list_servers" })).servers.map((row: { name: string }) => row.name)).toEqual([
    "every",
  ]);
  const { tools } = JSON.parse(await mcp({ action: "list_tools", server: "every" }));
  expect(tools.find((each: { name: string }) => each.name === "get-sum")).toMatchObject({ as: "mcp__every__get_sum" });
  expect(await mcp({ action: "call_tool", server: "every", tool: "echo", arguments: { message: "x" } })).toBe(
    "Echo: x",
  );
  const { resources, templates } = JSON.parse(await mcp({ action: "list_resources", server: "every" }));
  expect(resources.length).toBeGreaterThan(0);
  expect(templates.map((each: { uriTemplate: string }) => each.uriTemplate)).toContain(
    "demo://resource/dynamic/text/{resourceId}",
  );
  const made = await mcp({ action: "read_resource", server: "every", uri: "demo://resource/dynamic/text/7" });
  expect(made).toMatch(/^\[resource: demo:\/\/resource\/dynamic\/text\/7\]\n.*7/);
  expect(await mcp({ action: "read_resource", server: "every", uri: "demo://resource/dynamic/blob/7" })).toMatch(
    /^\[resource: demo:\/\/resource\/dynamic\/blob\/7\]\n\[resource: \S+, \d+ bytes\]$/,
  );
  expect(await call("mcp", { action: "read_resource", server: "every", uri: "demo://nothing" })).toMatchObject({
    ok: false,
    output: expect.stringContaining("demo://nothing"),
  });
  expect(await mcp({ action: "read_resource", server: "every", uri: resources[0].uri })).toContain(resources[0].uri);
  const { prompts } = JSON.parse(await mcp({ action: "list_prompts", server: "every" }));
  expect(prompts.map((each: { name: string }) => each.name)).toContain("simple-prompt");
  expect(await mcp({ action: "get_prompt", server: "every", prompt: "simple-prompt" })).toContain("user: ");
  expect(await call("mcp", { action: "call_tool", server: "nobody", tool: "x" })).toMatchObject({
    ok: false,
    output: expect.stringContaining('there is no MCP server "nobody"; there are: every'),
  });
  expect(await call("mcp", { action: "call_tool", server: "every", tool: "x" })).toMatchObject({
    ok: false,
    output: expect.stringContaining('has no tool "x"; its tools are: echo'),
  });
});

it.each([
  ["streamable_http", "streamableHttp", "/mcp"],
  ["sse", "sse", "/sse"],
])("speaks %s", { timeout: slow * 2 }, async (transport, argument, path) => {
  const port = await freePort();
  let child = await serve(argument, port);
  const settings = { enabled: true, transport, url: `http://127.0.0.1:${port}${path}` };
  const { call, tool, row, host } = await mcpHost({ every: settings });
  await tool("mcp__every__echo");
  expect(await call("mcp__every__echo", { message: "hello" })).toEqual({ ok: true, output: "Echo: hello" });
  expect((await call("mcp__every__trigger_long_running_operation", { duration: 1, steps: 4 })).output).toContain(
    "completed",
  );
  child.kill("SIGKILL");
  await until(() => child.signalCode !== null);
  await until(async () => !(await call("mcp__every__echo", { message: "gone" })).ok, slow);
  child = await serve(argument, port);
  await until(async () => (await call("mcp__every__echo", { message: "back" })).ok, slow);
  expect(await row("every")).toMatchObject({ state: "up" });
  expect(rowOf(host, "every")?.restarts).toBeGreaterThan(0);
});

async function serve(argument: string, port: number): Promise<ChildProcess> {
  const env = { PATH: process.env.PATH, PORT: String(port) };
  const child = spawn(process.execPath, [everything, argument], { env, stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await until(() => fetch(`http://127.0.0.1:${port}/nothing`), slow, "the server");
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
