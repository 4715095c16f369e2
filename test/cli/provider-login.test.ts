/** `chela provider login|accounts` against a real OAuth server on loopback: device code, browser with a pasted address, import. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import apiConfig from "../../plugins/api-config/index.ts";
import providers from "../../plugins/providers/index.ts";
import { liveHost } from "../kit/live.ts";
import { tempDir } from "../kit/temp.ts";
import { freePort, oauthServer, ownProvider } from "../plugins/providers/oauth/kit.ts";
import { startUpstream } from "../simulators/openai/upstream.ts";

async function world(oauth: Record<string, unknown> = {}) {
  const redirect = oauth.redirect_url as string | undefined;
  const server = await oauthServer(redirect === undefined ? {} : { redirectUris: [redirect] });
  const upstream = await startUpstream({ list: ["echo", "other"] });
  onTestFinished(() => upstream.close());
  const section = ownProvider(
    server,
    { api_base: upstream.base, models: [] },
    {
      ...(oauth.device === true ? { device_auth_url: server.deviceUrl } : {}),
      ...(redirect === undefined ? {} : { redirect_url: redirect }),
    },
  );
  const live = await liveHost({
    plugins: [apiConfig, providers],
    config: { models: { providers: { main: section } } },
  });
  return { ...live, server, upstream };
}

test("a device code: shown on the terminal, confirmed elsewhere, and the account serves", async () => {
  const { chela, server, host, upstream } = await world({ device: true });
  const before = await chela(["provider", "list"]);
  expect(before.stdout).toMatch(/^main +no login +oauth /m);
  expect(before.stderr).toContain("Log in with: chela provider login main\n");
  let confirming: Promise<void> | undefined;
  const onError = (text: string) => {
    const url = /Open: (\S+)\n/.exec(text)?.[1];
    if (url && text.includes("Code: ")) confirming ??= server.confirmDevice(url);
  };
  const result = await chela(["provider", "login", "main", "--json"], { onError });
  await confirming;
  expect(result.code).toBe(0);
  expect(result.json()).toMatchObject({ ok: true, provider: "main", account: "ada@example.com" });
  const entry = JSON.parse(readFileSync(host.config.path, "utf8")).models.providers.main;
  expect(entry.models).toEqual(["echo", "other"]);
  expect((await chela(["models", "test", "main/echo"])).code).toBe(0);
  expect((await upstream.last()).headers.authorization).toMatch(/^Bearer \S{10,}/);
  const list = await chela(["provider", "accounts", "main"]);
  expect((await chela(["provider", "list"])).stdout).toMatch(/^main.* healthy +oauth .* 1 of 1 ready$/m);
  expect(list.stdout).toMatch(/^ada@example.com +\S+\.json +\d{4}-.* 100 +ready$/m);
});

test("a browser elsewhere: the address that it ended up at is pasted", async () => {
  const { chela, server } = await world();
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  let pasting: Promise<unknown> | undefined;
  const onError = (text: string) => {
    const url = /Open: (\S+)\n/.exec(text)?.[1];
    if (url && text.includes("paste")) pasting ??= server.login(url).then((back) => stdin.write(`${back}\n`));
  };
  const result = await chela(["provider", "login", "main"], { stdin, onError });
  await pasting;
  expect([result.code, result.stdout]).toEqual([0, "Logged in to main as ada@example.com.\n"]);
});

test("a browser here: its way back is caught, and what is said then begins on a line of its own", async () => {
  const { chela, server } = await world({ redirect_url: `http://localhost:${await freePort()}/callback` });
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  let coming: Promise<unknown> | undefined;
  const onError = (text: string) => {
    const url = /Open: (\S+)\n/.exec(text)?.[1];
    if (url && text.includes("paste"))
      coming ??= server.login(url).then((back) => fetch(back.replace("localhost", "127.0.0.1")));
  };
  const result = await chela(["provider", "login", "main"], { stdin, onError });
  await coming;
  expect([result.code, result.stdout]).toEqual([0, "Logged in to main as ada@example.com.\n"]);
  expect(result.stderr).toMatch(/ended up at: \nThe account is kept in /);
});

test("without a terminal a login in a browser of another machine is refused with a way out; Ctrl-C ends a waiting one", async () => {
  const { chela, host } = await world();
  const elsewhere = { CHELA_GATEWAY_URL: host.url };
  const refused = await chela(["provider", "login", "main"], { env: elsewhere });
  expect([refused.code, refused.stderr]).toEqual([expect.any(Number), expect.stringContaining("--import")]);
  const { chela: other } = await world({ device: true });
  const signals = new Map<string, () => void>();
  const onError = (text: string) => {
    if (text.includes("Code: ")) queueMicrotask(() => signals.get("SIGINT")?.());
  };
  const left = await other(["provider", "login", "main"], { signals, onError });
  expect([left.code, left.stderr]).toEqual([1, expect.stringContaining("Interrupted")]);
});

test("--import takes an auth file over; accounts are renewed and removed by name", async () => {
  const { chela } = await world();
  const file = join(tempDir("import"), "auth.json");
  writeFileSync(file, JSON.stringify({ access_token: "imported-token-1", email: "bob@example.com" }));
  const result = await chela(["provider", "login", "main", "--import", file, "--label", "work", "--json"]);
  expect(result.json()).toMatchObject({ ok: true, account: expect.stringMatching(/work|bob@example.com/) });
  const listed = (await chela(["provider", "accounts", "main", "--json"])).json<{
    accounts: { credential_file: string }[];
  }>();
  expect(listed.accounts).toHaveLength(1);
  expect(JSON.stringify(listed)).not.toContain("imported-token-1");
  const name = listed.accounts[0]?.credential_file ?? "";
  expect((await chela(["provider", "accounts", "main", "--remove", name])).stderr).toContain("No account.");
  expect((await chela(["provider", "login", "main", "--import", "nowhere.json"])).stderr).toContain("There is no file");
});
