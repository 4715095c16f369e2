import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tempDir } from "../../../kit/temp.ts";
import { until } from "../../../kit/until.ts";
import { accountHost, never, oauthServer, ownProvider } from "./kit.ts";

const acme = ownProvider({ authUrl: "http://127.0.0.1:9/a", tokenUrl: "http://127.0.0.1:9/t", deviceUrl: "" });

function session(email: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ provider: "acme", access_token: `token-of-${email}`, email, ...more });
}

/** A state dir whose accounts folder holds these files. */
function stateWith(files: Readonly<Record<string, string>>): { stateDir: string; auth: string } {
  const stateDir = tempDir("state");
  const auth = join(stateDir, "auth");
  mkdirSync(auth, { mode: 0o700 });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(auth, name), text, { mode: 0o600 });
  return { stateDir, auth };
}

it("the folder is the list: own files count, others and broken ones do not, and health names what is broken", async () => {
  const { stateDir, auth } = stateWith({
    "acme.json": session("a@x.org"),
    "b.json": session("b@x.org", { config_provider: "main" }),
    "c.json": session("c@x.org", { config_provider: "second" }),
    "d.json": session("d@x.org", { provider: "codex" }),
    "broken.json": "{",
    "list.json": "[]",
    "empty.json": '{"provider":"acme"}',
    "huge.json": session("h@x.org", { pad: "x".repeat(300_000) }),
    ".hidden.json": session("hidden@x.org"),
    "notes.txt": "no account",
  });
  const outside = join(stateDir, "outside.json");
  writeFileSync(outside, session("outside@x.org"));
  symlinkSync(outside, join(auth, "link.json"));
  symlinkSync("/dev/zero", join(auth, "zero.json"));
  mkdirSync(join(auth, "folder.json"));
  execFileSync("mkfifo", [join(auth, "pipe.json")]);
  chmodSync(join(auth, "b.json"), 0o644);
  const kit = await accountHost({ stateDir, providers: { main: acme, second: acme } });
  const emails = (provider: string) => kit.accounts.rows(provider).map(({ email }) => email);
  expect(emails("main")).toEqual(["a@x.org", "b@x.org"]);
  expect(emails("second")).toEqual(["a@x.org", "c@x.org"]);
  expect(emails("nobody")).toEqual([]);
  expect(statSync(join(auth, "b.json")).mode & 0o777).toBe(0o600);
  const report = await kit.host.gateway.health();
  const check = report.checks.find(({ name }) => name === "oauth accounts") as {
    invalid?: { file: string; reason: string }[];
  };
  const invalid = new Map(check.invalid?.map(({ file, reason }) => [file.slice(auth.length + 1), reason]));
  expect([...invalid.keys()]).toEqual([
    "broken.json",
    "empty.json",
    "folder.json",
    "huge.json",
    "link.json",
    "list.json",
    "pipe.json",
    "zero.json",
  ]);
  expect(invalid.get("link.json")).toBe("is a link; links are not followed");
  expect(invalid.get("huge.json")).toContain("larger than");
  expect(invalid.get("empty.json")).toBe("auth.json missing access_token/refresh_token in empty.json");
  expect(report.checks.find(({ name }) => name === "oauth accounts")?.ok).toBe(false);
});

it("tells once of a file that is no account, in the log and among the changes of its provider", async () => {
  const { stateDir, auth } = stateWith({ "acme-2.json": "{", "other.json": "{" });
  const kit = await accountHost({
    stateDir,
    providers: { main: { ...acme, oauth: { ...acme.oauth, refresh_scan_sec: 1 } } },
  });
  const lines = () =>
    kit.host.logs().filter(({ message }) => String(message).includes("is not used: acme-2.json is not JSON"));
  await until(() => lines().length > 0, 10_000);
  expect(kit.notes).toEqual([
    {
      provider: "main",
      kind: "oauth",
      target: "acme-2.json",
      reason: "credential_decode_failed",
      detail: "acme-2.json is not JSON",
    },
  ]);
  writeFileSync(join(auth, "acme-3.json"), session("late@x.org"));
  await until(() => kit.accounts.rows("main").length === 1, 10_000);
  expect(lines()).toHaveLength(1);
});

it("sees a file that somebody puts there or takes away, without a restart", async () => {
  const { stateDir, auth } = stateWith({});
  const kit = await accountHost({ stateDir, providers: { main: acme } });
  expect(kit.accounts.of("main")).toEqual([]);
  writeFileSync(join(auth, "acme.json"), session("late@x.org"));
  kit.advance(3000);
  const [credential] = kit.accounts.of("main");
  expect(credential).toMatchObject({ id: "oauth:acme.json", target: "late@x.org", kind: "oauth" });
  expect(await credential?.token(never)).toEqual({ token: "token-of-late@x.org", account: {} });
  execFileSync("rm", [join(auth, "acme.json")]);
  kit.advance(3000);
  expect(kit.accounts.of("main")).toEqual([]);
});

it.each([
  "../config.json",
  "../../etc/passwd",
  "/etc/hostname",
  "secret.json/../../config.json",
  "other.json",
  "link.json",
  "broken.json",
  ".",
  "__proto__",
])("neither removes nor renews nor clears what is not the provider's own: %s", async (file) => {
  const { stateDir, auth } = stateWith({
    "acme.json": session("a@x.org"),
    "other.json": session("o@x.org", { provider: "codex" }),
    "broken.json": "{",
  });
  symlinkSync(join(stateDir, "config.json"), join(auth, "link.json"));
  const kit = await accountHost({ stateDir, providers: { main: acme } });
  for (const action of ["delete", "refresh", "clear_cooldown"]) {
    const reply = await kit.post("accounts?provider=main", { action, credential_file: file });
    expect([reply.status, reply.text.trim()]).toEqual([400, "oauth credential not found"]);
  }
  for (const name of ["config.json", "auth/acme.json", "auth/other.json", "auth/broken.json"])
    expect(existsSync(join(stateDir, name))).toBe(true);
});

it("removes an account by its path or its name, and says what it will not do", async () => {
  const { stateDir, auth } = stateWith({ "acme.json": session("a@x.org"), "b.json": session("b@x.org") });
  const kit = await accountHost({ stateDir, providers: { main: acme } });
  const remove = (credential_file: string) => kit.post("accounts?provider=main", { action: "delete", credential_file });
  expect((await remove("")).text.trim()).toBe("oauth credential file is empty");
  expect(
    (await kit.post("accounts?provider=main", { action: "explode", credential_file: "acme.json" })).text.trim(),
  ).toBe("unsupported action");
  expect((await remove(join(auth, "acme.json"))).body).toEqual({ ok: true, deleted: true });
  expect(existsSync(join(auth, "acme.json"))).toBe(false);
  expect(await kit.call("provider.oauth.remove", { provider: "main", credential_file: "b.json" })).toMatchObject({
    removed: true,
  });
  expect((await kit.host.request("/api/provider/oauth/accounts?provider=main")).json()).toEqual({
    ok: true,
    accounts: [],
  });
  expect((await remove("b.json")).status).toBe(400);
});

it("clears a cooldown of the live account", async () => {
  const { stateDir } = stateWith({ "acme.json": session("a@x.org") });
  const kit = await accountHost({ stateDir, providers: { main: acme } });
  const reply = await kit.post("accounts?provider=main", { action: "clear_cooldown", credential_file: "acme.json" });
  expect(reply.body).toEqual({ ok: true, cleared: true });
  expect(kit.cleared).toEqual(["main oauth:acme.json"]);
});

it("keeps the operator's own list in the config: adds to it, takes from it, promotes the next", async () => {
  const server = await oauthServer();
  const { stateDir, auth } = stateWith({ "acme.json": session("first@x.org"), "stray.json": session("stray@x.org") });
  const elsewhere = join(stateDir, "elsewhere.json");
  writeFileSync(elsewhere, session("else@x.org"));
  const files = { credential_file: "acme.json", credential_files: ["acme.json", elsewhere] };
  const kit = await accountHost({
    stateDir,
    providers: { main: ownProvider(server, {}, files), other: ownProvider(server) },
  });
  const emails = (provider: string) => kit.accounts.rows(provider).map(({ email }) => email);
  expect(emails("main")).toEqual(["first@x.org", "else@x.org"]);
  expect(emails("other")).toEqual(["stray@x.org"]);

  const { body } = await kit.post("start", { provider: "main", account_label: "Ada L." });
  const done = await kit.post("complete", {
    flow_id: body.flow_id,
    callback_url: await server.login(String(body.auth_url)),
  });
  const added = String(done.body.credential_file);
  expect(added).toMatch(/\/auth\/ada-example-com-\d{8}-\d{6}\.json$/);
  const listed = () => {
    const { models } = JSON.parse(readFileSync(join(stateDir, "config.json"), "utf8"));
    const { credential_file, credential_files } = models.providers.main.oauth;
    return { credential_file, credential_files };
  };
  expect(listed()).toEqual({ credential_file: "acme.json", credential_files: ["acme.json", elsewhere, added] });
  await until(() => emails("main").length === 3);

  const outside = await kit.post("accounts?provider=main", { action: "delete", credential_file: elsewhere });
  expect([outside.status, outside.text]).toEqual([400, expect.stringContaining("lies outside")]);
  expect(existsSync(elsewhere)).toBe(true);
  await kit.post("accounts?provider=main", { action: "delete", credential_file: "acme.json" });
  expect(listed()).toEqual({ credential_file: elsewhere, credential_files: [elsewhere, added] });
  expect(existsSync(join(auth, "acme.json"))).toBe(false);
  await until(() => emails("main").join() === "else@x.org,ada@example.com");
});

it("names files after the vendor, then after label and time, and never one that is taken", async () => {
  const { stateDir, auth } = stateWith({});
  const kit = await accountHost({ stateDir, providers: { main: acme } });
  const add = async (email: string, label = "") => {
    const content = session(email, { account_id: email });
    const done = await kit.call("provider.oauth.import", { provider: "main", content, account_label: label });
    return String(done.credential_file).slice(auth.length + 1);
  };
  expect(await add("a@x.org")).toBe("acme.json");
  expect(await add("../../B@x.org")).toMatch(/^b-x-org-\d{8}-\d{6}\.json$/);
  expect(await add("李雷")).toMatch(/^acme-\d{8}-\d{6}\.json$/);
  expect(await add("韩梅梅")).toMatch(/^acme-\d{8}-\d{6}(?:-2)?\.json$/);
  expect(await add("a@x.org")).toBe("acme.json");
  expect(kit.accounts.rows("main")).toHaveLength(4);
});
