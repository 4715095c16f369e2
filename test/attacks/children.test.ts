/** S-72 … S-76: what a program that a model or a config starts gets from the gateway, and what may choose code for it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { makeTempDir } from "../kit/temp.ts";
import { attacked, bearer, call, send } from "./kit.ts";

const planted: Record<string, string> = {
  CHELA_GATEWAY_TOKEN: "canary-env-token",
  CHELA_GATEWAY_PASSWORD: "canary-env-password",
  OPENAI_API_KEY: "canary-env-openai",
  ANTHROPIC_API_KEY: "canary-env-anthropic",
  AWS_SECRET_ACCESS_KEY: "canary-env-aws",
  CHELA_OAUTH_CODEX_CLIENT_SECRET: "canary-env-oauth",
  SSH_AUTH_SOCK: "/canary-env-agent",
  GIT_SSH_COMMAND: "canary-env-git",
  NODE_REPL_EXTERNAL_MODULE: "canary-env-module",
  LD_LIBRARY_PATH: "/canary-env-library",
  BASH_ENV: "/canary-env-bash",
  MY_OWN_SECRET: "canary-env-own",
};

async function start() {
  const before = new Map(Object.keys(planted).map((name) => [name, process.env[name]]));
  Object.assign(process.env, planted);
  onTestFinished(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  const dir = makeTempDir("children");
  onTestFinished(() => dir.remove());
  const root = join(dir.path, "workspace");
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, ".env"), "FROM_WORKSPACE=canary-env-workspace\nCHELA_GATEWAY_TOKEN=canary-env-workspace\n");
  writeFileSync(join(root, ".npmrc"), "node-options=--require ./evil.cjs\n");
  const host = await attacked({ stateDir: dir.path, config: { tools: { approvals: { exec: "allow" } } } });
  const tool = async (name: string, args: unknown) => {
    const headers = { ...bearer(host.token), "content-type": "application/json" };
    return (await send(host, "/v1/tools/invoke", { headers, body: JSON.stringify({ tool: name, args }) })).text;
  };
  return { host, tool };
}

it("S-74, S-75: no secret of the gateway, and nothing that the workspace says", async () => {
  const { tool } = await start();
  const node = "process.stdout.write(JSON.stringify(process.env))";
  for (const text of [
    await tool("exec", { command: "env" }),
    await tool("exec", { command: "env", args: [] }),
    await tool("exec", { command: process.execPath, args: ["-e", node] }),
    await tool("process", { action: "start", command: "env", args: [] }),
  ]) {
    expect(text).toContain("PATH");
    expect(text).not.toContain("canary-env");
  }
});

it("S-70, S-72: arguments are arguments: no shell reads them", async () => {
  const { tool } = await start();
  const tricks = [
    "$(echo canary-run)",
    "`echo canary-run`",
    "; echo canary-run",
    "| cat",
    "&& id",
    "$HOME",
    "*",
    "~",
    "\n",
    "-n",
  ];
  const text = await tool("exec", { command: "printf", args: ["[%s]", ...tricks] });
  for (const trick of tricks) expect(text).toContain(JSON.stringify(trick).slice(1, -1));
  for (const command of ["printf x; id", "$(id)", "a\0b"])
    expect(await tool("exec", { command, args: [] }), command).toContain('"ok":false');
});

it("S-76: an MCP server's settings add no variable that chooses code, by any entrance", async () => {
  const { host } = await start();
  for (const name of [
    "NODE_OPTIONS",
    "LD_PRELOAD",
    "DYLD_INSERT_LIBRARIES",
    "PYTHONSTARTUP",
    "BASH_ENV",
    "GIT_SSH_COMMAND",
    "CHELA_STATE_DIR",
    "node_options",
  ]) {
    const server = { command: process.execPath, args: ["-e", "0"], env: { [name]: "x" } };
    const added = await call(host, "mcp.add", { name: "evil", server });
    if (added.body.ok) {
      const tested = await call(host, "mcp.test", { name: "evil" });
      expect(tested.text, name).toContain("may not be set");
    } else expect(added.text, name).toContain(name);
  }
  for (const name of [
    "../x",
    "--registry=http://evil",
    "-g",
    "a b",
    "git+ssh://x",
    "file:../x",
    "http://x/y.tgz",
    "a;b",
    "@x/..",
    "a@npm:b@1",
    "a@file:x",
  ])
    for (const installer of ["npm", "uv", "bun"])
      expect((await call(host, "mcp.install", { package: name, installer })).body.ok, `${installer} ${name}`).toBe(
        false,
      );
});
