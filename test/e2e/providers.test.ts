/** The page of model providers: from nothing to a model that answers, its models and rests, and accounts by login. */
import type { Page } from "playwright-core";
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../kit/free-port.ts";
import { ownProvider } from "../simulators/oauth/own-provider.ts";
import { type OauthServer, type OauthServerOptions, startOauthServer } from "../simulators/oauth/server.ts";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";
import { barriers, dialog, stage, wholeText } from "./kit.ts";

const scene = stage({ env: { CHELA_DISCOVERY: "on" } });
/** What a browser itself says of a refusal that the page shows. */
const refusals = /Failed to load resource/;
const secret = "sk-canary-0123456789abcdef";
let upstream: Upstream;

async function call<T>(method: string, params: unknown = {}): Promise<T> {
  const response = await scene.gateway.fetch("/api/call", { method: "POST", body: JSON.stringify({ method, params }) });
  const { result, error } = (await response.json()) as { result: T; error?: { message: string } };
  if (error) throw new Error(error.message);
  return result;
}

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

afterEach(async () => {
  const edits = [{ path: "agents.defaults.model" }, { path: "models.providers" }];
  await call("config.edit", { edits, force: true });
});

function provider(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { api_base: upstream.base, api_key: secret, models: ["echo", "rate"], ...more };
}

describe("providers", () => {
  it("lead from nothing to a model that answers, and say why one does not", async () => {
    const page = await scene.visit({ at: "#/providers", allow: refusals });
    await page.getByRole("heading", { name: "Connect a model" }).waitFor();
    await page.getByRole("button", { name: "All others" }).click();
    const picker = dialog(page, "Add a provider");
    await picker.getByRole("searchbox").fill("moonshot");
    await picker.getByRole("button", { name: /^Kimi \(Moonshot\)/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await picker.getByRole("button", { name: "Another server" }).click();
    await picker.getByLabel("Name").fill("mine");
    await picker.getByLabel("Address of the API").fill(upstream.base);
    await picker.getByLabel("API key").fill("sk-wrong-0123456789");
    expect(await barriers(page)).toEqual([]);
    await picker.getByRole("button", { name: "Save and test" }).click();

    const made = dialog(page, "mine was added");
    await made.getByText("Incorrect API key provided").first().waitFor();
    await made.getByRole("link", { name: "Check the settings" }).click();
    await page.getByLabel("api_key", { exact: true }).fill(secret);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved.").waitFor();
    await page.getByRole("link", { name: "Models", exact: true }).click();
    await page.getByRole("button", { name: "Ask the provider which models it has" }).click();
    await page.getByRole("button", { name: "Add echo" }).click();
    await page.getByRole("button", { name: "Test echo" }).click();
    await page.getByText(/Answers: first token after/).waitFor();
    expect(await call("providers.models")).toMatchObject({ primary: "mine/echo" });
    const text = await wholeText(page);
    expect(text).not.toContain(secret);
    expect(text).not.toContain("sk-wrong");
  });

  it("show what was found, keep it beside one that is added, and open the chat with its model", async () => {
    const found = await startUpstream({ list: ["qwen3"] });
    onTestFinished(() => found.close());
    const page = await scene.visit({ at: "#/providers", allow: refusals });
    await page.getByRole("heading", { name: "Connect a model" }).waitFor();
    await set("models.discovery.ports", [found.port]);
    await page.getByRole("heading", { name: `Found and in use: local-${found.port}` }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Add a provider" }).click();
    const form = dialog(page, "Add a provider");
    await form.getByRole("button", { name: "Another server" }).click();
    await form.getByLabel("Address of the API").fill(upstream.base);
    await form.getByLabel("API key").fill(secret);
    expect(await form.getByLabel(/^Also keep what was found/).isChecked()).toBe(true);
    await form.getByRole("button", { name: "Save and test" }).click();
    const made = dialog(page, "my-server was added");
    await set("models.discovery.ports", []);
    await made.getByLabel("3 models found").selectOption("trickle");
    await made.getByRole("button", { name: "Use and test" }).click();
    await made.getByText(/Answers: first token after/).waitFor();
    await made.getByRole("link", { name: "Open the chat" }).click();
    await page.waitForURL(/#\/chat/);
    const { models, primary } = await call<{ models: { id: string }[]; primary: string }>("providers.models");
    expect(primary).toBe("my-server/trickle");
    expect(models.map(({ id }) => id)).toContain(`local-${found.port}/qwen3`);
  });

  it("show who rests and why, end it, and order who stands in", async () => {
    await set("models.providers", { one: provider(), two: provider(), three: provider() });
    await call("providers.test", { model: "one/rate" }).catch(() => undefined);
    const page = await scene.visit({ at: "#/providers", allow: refusals });
    const card = page.getByRole("region", { name: "one", exact: true });
    await card.getByText(/one\/rate · sk-c\*\*\*cdef · rate limit · until/).waitFor();
    await card.getByRole("button", { name: "End the rest of one" }).click();
    await card.getByText("Resting now").waitFor({ state: "detached" });

    const models = page.getByRole("region", { name: "Default model" });
    await models.getByLabel("Answers where nothing else is chosen").selectOption("two/rate");
    await models.getByRole("list", { name: "Stand-ins" }).getByText("one/echo").waitFor();
    await models.getByRole("button", { name: "Move three/echo up" }).click();
    await models.getByRole("button", { name: "Back to automatic" }).waitFor();
    expect(await call("config.get", { path: "agents.defaults.model" })).toMatchObject({
      value: { primary: "two/rate", fallbacks: ["three/echo", "one/echo"] },
    });
    await models.getByRole("button", { name: "Test", exact: true }).click();
    await models.getByText(/answered 429: Rate limit reached/).waitFor();
    expect(await barriers(page)).toEqual([]);

    await page.getByRole("region", { name: "two", exact: true }).getByRole("button", { name: "Remove" }).click();
    await dialog(page, "Confirm").getByRole("button", { name: "Remove" }).click();
    await expect.poll(() => gone("models.providers.two")).toBe(true);
    await page.getByRole("region", { name: "two", exact: true }).waitFor({ state: "detached" });
    expect(await gone("agents.defaults.model.primary")).toBe(true);
    expect(await wholeText(page)).not.toContain(secret);
  });

  it("are read on a phone in Chinese by somebody who may only read, whatever models are called", async () => {
    await set("models.providers", { one: provider({ models: ["<img src=x onerror=alert(1)>\u202e", "echo"] }) });
    const { key } = await call<{ key: string }>("keys.add", { name: "reader", scopes: ["read"] });
    const page = await scene.visit({ at: "#/providers", phone: true, dark: true, locale: "zh-CN", stranger: true });
    await page.getByLabel("令牌、密码或 API 密钥").fill(key);
    await page.getByRole("button", { name: "登录" }).click();
    await page.getByRole("heading", { level: 1, name: "模型服务商" }).waitFor();
    await page.getByRole("link", { name: "one", exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    for (const name of ["添加服务商", "测试", "移除"])
      expect(await page.getByRole("button", { name, exact: true }).count()).toBe(0);
    await page.getByRole("link", { name: "one", exact: true }).click();
    await page.locator("provider-models code").getByText("<img src=x onerror=alert(1)>U+202E").waitFor();
    await page.getByRole("link", { name: "事件" }).click();
    await page.getByText("还没有任何事件。").waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
  });
});

describe("accounts", () => {
  it("are logged in to by the browser's way back, renewed and removed", async () => {
    const redirect = `http://localhost:${await freePort()}/callback`;
    const server = await oauthServer({ redirectUris: [redirect] });
    await set("models.providers.acme", ownProvider(server, { models: ["large"] }, { redirect_url: redirect }));
    const page = await scene.visit({ at: "#/providers/acme?tab=accounts" });
    await page.getByText("Nobody is logged in.").waitFor();

    const first = await begin(page);
    await first.getByText("Waiting for you to confirm").waitFor();
    expect(await barriers(page)).toEqual([]);
    const address = (await first.getByRole("link", { name: "Open the login page" }).getAttribute("href")) ?? "";
    const caught = await server.login(address, "ada@example.com");
    await fetch(caught.replace("localhost", "127.0.0.1"));
    const card = page.getByRole("listitem", { name: "ada@example.com" });
    await card.getByText("ready").waitFor();

    const second = await begin(page);
    const again = (await second.getByRole("link", { name: "Open the login page" }).getAttribute("href")) ?? "";
    await second.getByLabel("Address that you end up at").fill(await server.login(again, "bob@example.com"));
    await second.getByRole("button", { name: "Finish" }).click();
    await page.getByRole("listitem", { name: "bob@example.com" }).waitFor();

    await card.getByRole("button", { name: "Renew the token" }).click();
    await page.getByText("ada@example.com has a new token.").waitFor();
    await card.getByRole("button", { name: "Remove the account" }).click();
    await dialog(page, "Confirm").getByRole("button", { name: "Remove" }).click();
    await card.waitFor({ state: "detached" });
    expect(await barriers(page)).toEqual([]);
  });

  it("are logged in to with a code that is typed elsewhere, given up, or taken over from a file", async () => {
    const server = await oauthServer();
    // This vendor does not tell whose account it is.
    const oauth = { provider: "qwen", device_auth_url: server.deviceUrl, scopes: ["openid", "offline_access"] };
    await set("models.providers.box", ownProvider(server, { models: ["large"] }, oauth));
    const page = await scene.visit({ at: "#/providers/box?tab=accounts", allow: refusals });
    const form = await begin(page);
    const code = form.locator("code.code");
    await code.waitFor();
    await form.getByText(/\d:\d\d left/).waitFor();
    const before = await code.textContent();
    await form.getByRole("button", { name: "Cancel" }).click();

    const again = await begin(page);
    await expect.poll(() => code.textContent()).not.toBe(before);
    await server.confirmDevice(
      (await again.getByRole("link", { name: "Open the login page" }).getAttribute("href")) ?? "",
    );
    await again.getByLabel("Name of the account").fill("work");
    await again.getByRole("button", { name: "Save" }).click();
    await page.getByRole("listitem", { name: "work" }).waitFor();

    await page.getByRole("button", { name: "Log in to another account" }).click();
    const file = dialog(page, "Log in to box");
    await file.getByText("Proxy, or an auth file of another program").click();
    const session = { token: { access_token: "hush-token-9f8e7d" }, email: "eve@example.com" };
    await file
      .getByLabel("Take over an account")
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

async function begin(page: Page) {
  await page
    .getByRole("button", { name: /^Log in/ })
    .first()
    .click();
  const form = page.locator("ui-dialog[open]");
  await form.getByRole("button", { name: "Begin" }).click();
  return form;
}
