/** `/api/mcp/install` with installers of our own making in PATH: what they are given, and ClawGo's answers. */
import { chmodSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { events } from "@chela/sdk";
import { afterEach, beforeEach, expect, it } from "vitest";
import { assertPackageName, commandName } from "../../../plugins/mcp/install/install.ts";
import { makeTempDir, writeTree } from "../../kit/temp.ts";
import { mcpHost, slow } from "./kit.ts";

let bin: { path: string; remove: () => void };
const path = process.env.PATH ?? "";

/** Writes down its arguments, says something, and makes the program unless told to fail. */
const script = (name: string, target: string) => `#!${process.execPath}
const fs = require("node:fs"), path = require("node:path");
const args = process.argv.slice(2);
fs.writeFileSync(path.join(__dirname, "${name}.args"), JSON.stringify({ args, cwd: process.cwd(), env: process.env }));
console.log("\\u001b[32mresolving " + args.at(-1));
if (args.at(-1) === "broken") { console.error("no such package"); process.exit(2); }
if (args.at(-1) === "no-program") process.exit(0);
${target}
`;

const make = (folder: string, name: string) =>
  `const bin = ${folder}; fs.mkdirSync(bin, { recursive: true }); fs.writeFileSync(path.join(bin, ${name}), "#!/bin/sh\\n", { mode: 0o755 });`;

beforeEach(() => {
  bin = makeTempDir("installers");
  writeTree(bin.path, {
    uv: script("uv", make("process.env.UV_TOOL_BIN_DIR", '"mcp-server-time"')),
    npm: script(
      "npm",
      `${make('path.join(args[args.indexOf("--prefix") + 1], "node_modules/.bin")', '"mcp-server-everything"')}
       const home = path.join(args[2], "node_modules/@modelcontextprotocol/server-everything");
       fs.mkdirSync(home, { recursive: true });
       fs.writeFileSync(path.join(home, "package.json"), JSON.stringify({ bin: { "mcp-server-everything": "x.js" } }));`,
    ),
  });
  for (const name of ["uv", "npm"]) chmodSync(join(bin.path, name), 0o755);
  process.env.PATH = `${bin.path}${delimiter}/usr/bin${delimiter}/bin`;
});

afterEach(() => {
  process.env.PATH = path;
  bin.remove();
});

const given = (name: string) =>
  JSON.parse(readFileSync(join(bin.path, `${name}.args`), "utf8")) as {
    args: string[];
    cwd: string;
    env: Record<string, string>;
  };

async function post(body: object, token?: string | null) {
  const { host } = await mcpHost({});
  const reply = await host.request("/api/mcp/install", {
    method: "POST",
    body,
    ...(token === undefined ? {} : { token }),
  });
  return { host, reply };
}

it("installs with uv into a folder of our own", { timeout: slow }, async () => {
  const { host, reply } = await post({ package: "mcp-server-time", installer: "" });
  const program = join(host.stateDir, "data/mcp/packages/uv/bin/mcp-server-time");
  expect(reply.status).toBe(200);
  expect(reply.json()).toEqual({
    ok: true,
    package: "mcp-server-time",
    output: `resolving mcp-server-time\ninstalled mcp-server-time via uv\nresolved binary: ${program}`,
    bin_name: "mcp-server-time",
    bin_path: program,
  });
  expect(given("uv").args).toEqual(["tool", "install", "--", "mcp-server-time"]);
  const told = host
    .service(events)
    .since(0)
    .events.filter(({ type }) => type === "mcp_install");
  expect(told.map(({ payload }) => payload.state)).toEqual(["started", "running", "done"]);
  expect(told[1]?.payload.line).toBe("resolving mcp-server-time");
});

it("installs with npm without scripts, and finds the program by the package's own word", {
  timeout: slow,
}, async () => {
  const { host, reply } = await post({ package: "@modelcontextprotocol/server-everything", installer: "npm" });
  const prefix = join(host.stateDir, "data/mcp/packages/npm");
  expect(reply.json()).toMatchObject({
    bin_name: "mcp-server-everything",
    bin_path: join(prefix, "node_modules/.bin/mcp-server-everything"),
  });
  const { args, cwd, env } = given("npm");
  expect(args).toEqual([
    "install",
    "--prefix",
    prefix,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--",
    "@modelcontextprotocol/server-everything",
  ]);
  expect(cwd).toBe(prefix);
  expect(Object.keys(env).filter((name) => name.startsWith("CHELA_"))).toEqual([]);
});

it.each([
  [{ package: " " }, 400, "package required\n"],
  [{}, 400, "package required\n"],
  [{ package: "x", installer: "pip" }, 500, "unsupported installer: pip\n"],
  [{ package: "x", installer: "bun" }, 500, "bun is not installed; install bun first to auto-install x\n"],
  [{ package: "broken", installer: "uv" }, 500, "resolving broken\nno such package\nexit status 2\n"],
  [{ package: "no-program", installer: "uv" }, 500, 'installed no-program but binary "no-program" not found in PATH\n'],
])("answers %j with %i", { timeout: slow }, async (body, status, text) => {
  const { reply } = await post(body);
  expect({ status: reply.status, text: reply.text }).toEqual({ status, text });
});

it("is for admins", { timeout: slow }, async () => {
  expect((await post({ package: "x" }, null)).reply.status).toBe(401);
});

it.each([
  "-r",
  "--index-url=http://x",
  "../x",
  "/etc/x",
  "./x",
  "git+https://x/y",
  "https://x/y.tgz",
  "file:x",
  "a b",
  "a;b",
  "$(x)",
  "@x",
  "@-x/y",
  "x@-y",
  "a\nb",
  "npm:x@1",
  "x@npm:y",
  "a..b",
  "",
  "é",
])("takes no %j for a package", (name) => {
  for (const installer of ["uv", "bun", "npm"] as const)
    expect(() => assertPackageName(installer, name)).toThrow("is no package name");
});

it("knows package names", () => {
  for (const name of ["x", "mcp-server-time", "@scope/thing", "@scope/thing@1.2.3", "thing@latest"])
    assertPackageName("npm", name);
  for (const name of ["mcp-server-time", "thing[extra]==1.2", "Thing_2@1.0"]) assertPackageName("uv", name);
  expect(["@a/b@1", "b@1", "b", "b[x]==1"].map(commandName)).toEqual(["b", "b", "b", "b"]);
});
