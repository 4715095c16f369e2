/** `chela provider login` against the built gateway on the same machine: the browser's way back is caught, nothing is pasted. */
import { spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { binary } from "../../../kit/binary.ts";
import { startGateway } from "../../../kit/gateway.ts";
import { tempDir } from "../../../kit/temp.ts";
import { until } from "../../../kit/until.ts";
import { freePort, oauthServer, ownProvider } from "./kit.ts";

it("logs in from the command line", { timeout: 60_000 }, async () => {
  const redirect = `http://localhost:${await freePort()}/callback`;
  const server = await oauthServer({ redirectUris: [redirect] });
  const stateDir = tempDir("login");
  const providers = { main: ownProvider(server, { models: ["m"] }, { redirect_url: redirect }) };
  writeFileSync(join(stateDir, "config.json"), JSON.stringify({ models: { providers } }));
  await startGateway({ stateDir });
  const child = spawn(process.execPath, [binary(), "provider", "login", "main", "--label", "laptop", "--json"], {
    env: { PATH: process.env.PATH, HOME: stateDir, CHELA_STATE_DIR: stateDir, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => void child.on("close", resolve));
  const said = await until(() => /http:\S+\/auth\?\S+/.exec(output.stderr + output.stdout)?.[0], 20_000, "the address");
  const page = await fetch((await server.login(said)).replace("localhost", "127.0.0.1"));
  expect(await page.text()).toContain("You may close this window");
  expect(await ended).toBe(0);
  expect(JSON.parse(output.stdout)).toMatchObject({ account: "ada@example.com" });
  const file = join(stateDir, "auth", "acme.json");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const session = JSON.parse(readFileSync(file, "utf8"));
  expect(session).toMatchObject({ account_label: "laptop", email: "ada@example.com" });
  expect(output.stdout + output.stderr).not.toContain(session.access_token);
});
