/** The whole providers plugin with OAuth accounts, and what the cases of ClawGo's contract ask of it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ModelEvent, providers as providersService } from "@chela/sdk";
import { onTestFinished } from "vitest";
import { startHost, type TestHost } from "../../kernel/testing.ts";
import providers from "../../plugins/providers/index.ts";
import { httpServer, type TestServer } from "../kit/http-server.ts";
import { tempDir } from "../kit/temp.ts";

export interface Setting {
  readonly host: TestHost;
  readonly auth: string;
  file(name: string): Record<string, unknown>;
  accounts(provider: string): Promise<readonly Record<string, unknown>[]>;
  post(path: string, body: unknown): Promise<{ status: number; text: string; body: Record<string, unknown> }>;
}

export async function setting(
  sections: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, unknown>> = {},
): Promise<Setting> {
  const stateDir = tempDir("clawgo-oauth");
  const auth = join(stateDir, "auth");
  mkdirSync(auth, { mode: 0o700 });
  for (const [name, value] of Object.entries(files))
    writeFileSync(join(auth, name), typeof value === "string" ? value : JSON.stringify(value), { mode: 0o600 });
  const host = await startHost({ plugins: [providers], stateDir, config: { models: { providers: sections } } });
  onTestFinished(() => host.stop());
  return {
    host,
    auth,
    file: (name) => JSON.parse(readFileSync(join(auth, name), "utf8")) as Record<string, unknown>,
    accounts: async (provider) => {
      const reply = await host.request(`/api/provider/oauth/accounts?provider=${provider}`);
      return (reply.json() as { accounts: Record<string, unknown>[] }).accounts;
    },
    post: async (path, body) => {
      const reply = await host.request(`/api/provider/oauth/${path}`, { body });
      return {
        status: reply.status,
        text: reply.text.trim(),
        body: reply.text.startsWith("{") ? (reply.json() as Record<string, unknown>) : {},
      };
    },
  };
}

/** One server for everything: tokens and chat completions. */
export function vendor(): Promise<TestServer> {
  let count = 0;
  return httpServer((req, res) => {
    res.setHeader("content-type", "application/json");
    if (req.url === "/token") {
      count += 1;
      const tokens = {
        access_token: `fresh-${count}`,
        refresh_token: `refresh-${count}`,
        expires_in: 3600,
        token_type: "Bearer",
      };
      return void res.end(JSON.stringify(tokens));
    }
    if (req.url !== "/v1/chat/completions") return void res.writeHead(404).end("{}");
    res.setHeader("content-type", "text/event-stream");
    const chunk = { choices: [{ index: 0, delta: { content: "hi" }, finish_reason: "stop" }] };
    res.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
  });
}

export function provider(server: Pick<TestServer, "origin">, oauth: Record<string, unknown> = {}) {
  return {
    api_base: `${server.origin}/v1`,
    models: ["m"],
    auth: "oauth",
    oauth: {
      provider: "acme",
      client_id: "c",
      auth_url: `${server.origin}/auth`,
      token_url: `${server.origin}/token`,
      ...oauth,
    },
  };
}

export async function said(host: TestHost): Promise<string> {
  const events: ModelEvent[] = [];
  const request = { model: "main/m", messages: [{ role: "user" as const, content: "hi" }] };
  for await (const event of host.service(providersService).stream(request, new AbortController().signal))
    events.push(event);
  return events.map((event) => (event.type === "text" ? event.text : "")).join("");
}

export const admin = { id: "internal", name: "test", kind: "internal", scopes: ["admin"] } as const;
export const internal = { identity: admin, id: "1", signal: new AbortController().signal };
export const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
export const account = (more: Record<string, unknown> = {}) => ({
  provider: "acme",
  access_token: "old",
  refresh_token: "refresh-0",
  email: "a@x.org",
  ...more,
});
export const bearers = (server: TestServer) =>
  server.seen.filter(({ path }) => path === "/v1/chat/completions").map(({ headers }) => headers.authorization);

export async function imported({ host }: Setting, provider: string, file: unknown, config?: unknown) {
  const form = new FormData();
  form.set("provider", provider);
  if (config !== undefined) form.set("provider_config", JSON.stringify(config));
  form.set("file", new Blob([JSON.stringify(file)]), "auth.json");
  const request = new Request("http://x/", { method: "POST", body: form });
  const headers = { "content-type": request.headers.get("content-type") ?? "" };
  const reply = await host.request("/api/provider/oauth/import", {
    body: new Uint8Array(await request.arrayBuffer()),
    headers,
  });
  return { status: reply.status, body: reply.json() as Record<string, unknown> };
}
