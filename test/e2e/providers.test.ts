/** The page of model providers: from nothing to a model that answers, its models and rests, and accounts by login. */
import type { Page } from "playwright-core";
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../kit/free-port.ts";
import { ownProvider } from "../simulators/oauth/own-provider.ts";
import { type OauthServer, type OauthServerOptions, startOauthServer } from "../simulators/oauth/server.ts";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";
import { barriers, dialog, isTooWide, readers, stage, wholeText } from "./kit.ts";
import { pattern, type Say } from "./words.ts";

const scene = stage({ env: { CHELA_DISCOVERY: "on" } });
const { call } = scene;
/** What a browser itself says of a refusal that the page shows. */
const refusals = /Failed to load resource/;
const secret = "sk-canary-0123456789abcdef";
let upstream: Upstream;

const set = (path: string, value: unknown) => call("config.set", { path, value });

async function gone(path: string): Promise<boolean> {
  return !(await call<{ found: boolean }>("config.get", { path })).found;
}

beforeAll(async () => {
  upstream = await startUpstream({ key: secret, list: ["echo", "rate", "trickle"] });
  // Whatever runs on the machine of whoever runs this.
  await set("models.discovery.ports", []);
  return () => upstream.close();
});

interface Listed {
  readonly name: string;
  readonly accounts: readonly { readonly credential_file: string }[];
}

afterEach(async () => {
  const { providers } = await call<{ providers: readonly Listed[] }>("providers.list");
  for (const { name: provider, accounts } of providers)
    for (const { credential_file } of accounts) await call("provider.oauth.remove", { provider, credential_file });
  const edits = [{ path: "agents.defaults.model" }, { path: "models.providers" }];
  await call("config.edit", { edits, force: true });
});

function provider(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { api_base: upstream.base, api_key: secret, models: ["echo", "rate"], ...more };
}

describe.each(readers)("providers, $name,", ({ w, ...look }) => {
  it("lead from nothing to a model that answers, and say why one does not", async () => {
    const page = await scene.visit({ ...look, at: "#/providers", allow: refusals });
    await page.getByRole("heading", { name: w("providers.welcome") }).waitFor();
    await page.getByRole("button", { name: w("providers.welcome.more") }).click();
    const picker = dialog(page, w("providers.add"));
    await picker.getByRole("searchbox").fill("moonshot");
    await picker.getByRole("button", { name: /^Kimi ?[(（](Moonshot|月之暗面)/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await picker.getByRole("button", { name: w("providers.preset.custom") }).click();
    await picker.getByLabel(w("providers.field.name")).fill("mine");
    await picker.getByLabel(w("providers.field.base")).fill(upstream.base);
    await picker.getByLabel(w("providers.auth.api_key")).fill("sk-wrong-0123456789");
    expect(await barriers(page)).toEqual([]);
    await picker.getByRole("button", { name: w("providers.add.save") }).click();

    const made = dialog(page, w("providers.added", { name: "mine" }));
    await made.getByText("Incorrect API key provided").first().waitFor();
    await made.getByRole("link", { name: w("providers.look.settings") }).click();
    await page.getByLabel("api_key", { exact: true }).fill(secret);
    await page.getByRole("button", { name: w("ui.save"), exact: true }).click();
    await page.getByText(w("form.saved")).waitFor();
    await page.getByRole("link", { name: w("providers.tab.models"), exact: true }).click();
    await page.getByRole("button", { name: w("providers.vendor.ask") }).click();
    await page.getByRole("button", { name: w("providers.vendor.add", { name: "echo" }) }).click();
    await page.getByRole("button", { name: w("providers.test.one", { name: "echo" }) }).click();
    await page.getByText(pattern(w("providers.test.ok"))).waitFor();
    expect(await call("providers.models")).toMatchObject({ primary: "mine/echo" });
    const text = await wholeText(page);
    expect(text).not.toContain(secret);
    expect(text).not.toContain("sk-wrong");
  });

  it("show what was found, keep it beside one that is added, and open the chat with its model", async () => {
    const found = await startUpstream({ list: ["qwen3"] });
    onTestFinished(() => found.close());
    const page = await scene.visit({ ...look, at: "#/providers", allow: refusals });
    await page.getByRole("heading", { name: w("providers.welcome") }).waitFor();
    await set("models.discovery.ports", [found.port]);
    await page.getByRole("heading", { name: w("providers.found", { names: `local-${found.port}` }) }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: w("providers.add") }).click();
    const form = dialog(page, w("providers.add"));
    await form.getByRole("button", { name: w("providers.preset.custom") }).click();
    await form.getByLabel(w("providers.field.base")).fill(upstream.base);
    await form.getByLabel(w("providers.auth.api_key")).fill(secret);
    expect(await form.getByLabel(pattern(w("providers.field.keep"))).isChecked()).toBe(true);
    await form.getByRole("button", { name: w("providers.add.save") }).click();
    const made = dialog(page, w("providers.added", { name: "my-server" }));
    await set("models.discovery.ports", []);
    await made.getByLabel(w("providers.look.choose", { n: 3 })).selectOption("trickle");
    await made.getByRole("button", { name: w("providers.look.use") }).click();
    await made.getByText(pattern(w("providers.test.ok"))).waitFor();
    await made.getByRole("link", { name: w("providers.chat") }).click();
    await page.waitForURL(/#\/chat/);
    const { models, primary } = await call<{ models: { id: string }[]; primary: string }>("providers.models");
    expect(primary).toBe("my-server/trickle");
    expect(models.map(({ id }) => id)).toContain(`local-${found.port}/qwen3`);
  });

  it("show who rests and why, end it, and order who stands in", async () => {
    await set("models.providers", { one: provider(), two: provider(), three: provider() });
    await call("providers.test", { model: "one/rate" }).catch(() => undefined);
    const page = await scene.visit({ ...look, at: "#/providers", allow: refusals });
    const card = page.getByRole("region", { name: "one", exact: true });
    await card
      .getByText(pattern(`one/rate · sk-c***cdef · ${w("providers.reason.rate_limit")} · ${w("providers.rest.until")}`))
      .waitFor();
    await card.getByRole("button", { name: w("providers.clearOf", { name: "one" }) }).click();
    await card.getByText(w("providers.rest")).waitFor({ state: "detached" });
    await call("providers.test", { model: "one/rate" }).catch(() => undefined);
    await card.getByText(w("providers.rest")).waitFor();

    const models = page.getByRole("region", { name: w("providers.default") });
    await models.getByLabel(w("providers.default.primary")).selectOption("two/rate");
    await models
      .getByRole("list", { name: w("providers.fallbacks") })
      .getByText("one/echo")
      .waitFor();
    await models.getByRole("button", { name: w("providers.up", { name: "three/echo" }) }).click();
    await models.getByRole("button", { name: w("providers.fallbacks.reset") }).waitFor();
    expect(await call("config.get", { path: "agents.defaults.model" })).toMatchObject({
      value: { primary: "two/rate", fallbacks: ["three/echo", "one/echo"] },
    });
    await models.getByRole("button", { name: w("providers.test"), exact: true }).click();
    await models.getByText(/answered 429: Rate limit reached/).waitFor();
    expect(await barriers(page)).toEqual([]);

    await page
      .getByRole("region", { name: "two", exact: true })
      .getByRole("button", { name: w("ui.remove") })
      .click();
    await dialog(page, w("ui.confirm"))
      .getByRole("button", { name: w("ui.remove") })
      .click();
    await expect.poll(() => gone("models.providers.two")).toBe(true);
    await page.getByRole("region", { name: "two", exact: true }).waitFor({ state: "detached" });
    expect(await gone("agents.defaults.model.primary")).toBe(true);
    expect(await wholeText(page)).not.toContain(secret);
  });

  it("are read in the dark by somebody who may only read, whatever models are called", async () => {
    await set("models.providers", { one: provider({ models: ["<img src=x onerror=alert(1)>\u202e", "echo"] }) });
    const { key } = await call<{ key: string }>("keys.add", { name: `reader ${look.locale}`, scopes: ["read"] });
    const page = await scene.visit({ ...look, at: "#/providers", dark: true, stranger: true });
    await page.getByLabel(w("login.credential")).fill(key);
    await page.getByRole("button", { name: w("login.submit") }).click();
    await page.getByRole("heading", { level: 1, name: w("providers.title") }).waitFor();
    await page.getByRole("link", { name: "one", exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    for (const name of [w("providers.add"), w("providers.test"), w("ui.remove")])
      expect(await page.getByRole("button", { name, exact: true }).count()).toBe(0);
    await page.getByRole("link", { name: "one", exact: true }).click();
    await page.locator("provider-models code").getByText("<img src=x onerror=alert(1)>U+202E").waitFor();
    await page.getByRole("link", { name: w("providers.tab.events") }).click();
    await page.getByText(w("providers.events.none")).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);
  });
});

describe.each(readers)("accounts, $name,", ({ w, ...look }) => {
  it("are logged in to by the browser's way back, renewed and removed", async () => {
    const redirect = `http://localhost:${await freePort()}/callback`;
    const server = await oauthServer({ redirectUris: [redirect] });
    await set("models.providers.acme", ownProvider(server, { models: ["large"] }, { redirect_url: redirect }));
    const page = await scene.visit({ ...look, at: "#/providers/acme?tab=accounts" });
    await page.getByText(w("providers.accounts.none")).waitFor();

    const first = await begin(page, w);
    await first.getByText(w("providers.login.waiting")).waitFor();
    expect(await barriers(page)).toEqual([]);
    const address = (await first.getByRole("link", { name: w("providers.login.go") }).getAttribute("href")) ?? "";
    const caught = await server.login(address, "ada@example.com");
    await fetch(caught.replace("localhost", "127.0.0.1"));
    const card = page.getByRole("listitem", { name: "ada@example.com" });
    await card.getByText(w("providers.account.ready")).waitFor();

    const second = await begin(page, w);
    const again = (await second.getByRole("link", { name: w("providers.login.go") }).getAttribute("href")) ?? "";
    await second.getByLabel(w("providers.login.paste")).fill(again);
    await second.getByRole("button", { name: w("providers.login.finish") }).click();
    await second.getByText(w("providers.login.paste.wrong")).waitFor();
    await second.getByLabel(w("providers.login.paste")).fill(await server.login(again, "bob@example.com"));
    await second.getByRole("button", { name: w("providers.login.finish") }).click();
    await page.getByRole("listitem", { name: "bob@example.com" }).waitFor();

    await card.getByRole("button", { name: w("providers.account.renew.one", { name: "ada@example.com" }) }).click();
    await page.getByText(w("providers.account.renewed.done", { name: "ada@example.com" })).waitFor();
    await card.getByRole("button", { name: w("providers.account.remove.one", { name: "ada@example.com" }) }).click();
    await dialog(page, w("ui.confirm"))
      .getByRole("button", { name: w("ui.remove") })
      .click();
    await card.waitFor({ state: "detached" });
    expect(await barriers(page)).toEqual([]);
  });

  it("are logged in to with a code that is typed elsewhere, given up, or taken over from a file", async () => {
    const server = await oauthServer();
    // This vendor does not tell whose account it is.
    const oauth = { provider: "qwen", device_auth_url: server.deviceUrl, scopes: ["openid", "offline_access"] };
    await set("models.providers.box", ownProvider(server, { models: ["large"] }, oauth));
    const page = await scene.visit({ ...look, at: "#/providers/box?tab=accounts", allow: refusals });
    const form = await begin(page, w);
    const code = form.locator("code.code");
    await code.waitFor();
    await form.getByText(pattern(w("providers.login.left"))).waitFor();
    const before = await code.textContent();
    await form.getByRole("button", { name: w("ui.cancel") }).click();

    const again = await begin(page, w);
    await expect.poll(() => code.textContent()).not.toBe(before);
    await server.confirmDevice(
      (await again.getByRole("link", { name: w("providers.login.go") }).getAttribute("href")) ?? "",
    );
    await again.getByLabel(w("providers.login.label")).fill("work");
    await again.getByRole("button", { name: w("ui.save") }).click();
    await page.getByRole("listitem", { name: "work" }).waitFor();

    await page.getByRole("button", { name: w("providers.login.more") }).click();
    const file = dialog(page, w("providers.login.title", { name: "box" }));
    await file.getByText(w("providers.login.other")).click();
    const session = { token: { access_token: "hush-token-9f8e7d" }, email: "eve@example.com" };
    await file
      .getByLabel(w("providers.login.import"))
      .setInputFiles({ name: "auth.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(session)) });
    await page.getByRole("listitem", { name: "eve@example.com" }).waitFor();
    expect(await wholeText(page)).not.toContain("hush-token");
  });
});

async function oauthServer(options: OauthServerOptions = {}): Promise<OauthServer> {
  const server = await startOauthServer(options);
  onTestFinished(() => server.close());
  return server;
}

async function begin(page: Page, w: Say) {
  await page
    .getByRole("button", { name: w("providers.login") })
    .first()
    .click();
  const form = page.locator("ui-dialog[open]");
  await form.getByRole("button", { name: w("providers.login.begin") }).click();
  return form;
}
