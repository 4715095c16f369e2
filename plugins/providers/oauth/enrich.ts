/** What else is worth knowing after a login: the e-mail, the vendor's project, the models. None of it can make a login fail. */
import { isObject, objectOf } from "@chela/sdk";
import { oneLine } from "./one-line.ts";
import type { Session } from "./session.ts";
import type { OauthSettings } from "./settings.ts";
import type { Transport } from "./transport.ts";

const eachMs = 10_000;
const maxModels = 500;

export interface Enriching {
  readonly settings: OauthSettings;
  readonly send: Transport;
  readonly signal: AbortSignal;
}

/** `models` is null when the server did not tell. */
export async function enrich(
  session: Session,
  { settings, send, signal }: Enriching,
): Promise<{ readonly session: Session; readonly models: readonly string[] | null }> {
  const ask = (url: string, init: RequestInit = {}) => askJson(send, url, init, signal);
  const named = await withUser(session, settings, ask);
  const placed = await withProject(named, settings, ask);
  const models = await modelsOf(placed, settings, ask);
  return { session: models === null ? placed : { ...placed, models }, models };
}

type Ask = (url: string, init?: RequestInit) => Promise<Record<string, unknown>>;

async function withUser(session: Session, { userinfoUrl, vendor }: OauthSettings, ask: Ask): Promise<Session> {
  const wanted = session.email === "" || vendor.userinfo?.tokenIn === "accessToken";
  if (userinfoUrl === "" || !wanted || session.access_token === "") return session;
  let user: Record<string, unknown>;
  if (vendor.userinfo?.tokenIn === "accessToken") {
    const url = new URL(userinfoUrl);
    url.searchParams.set("accessToken", session.access_token);
    user = await ask(url.href);
  } else {
    user = await ask(userinfoUrl, { headers: bearer(session) });
  }
  const facts = isObject(user.data) ? user.data : user;
  return {
    ...session,
    email: session.email || oneLine(facts.email),
    account_id: session.account_id || oneLine(facts.sub) || oneLine(facts.id),
    api_key: oneLine(facts.apiKey) || session.api_key,
  };
}

async function withProject(session: Session, { projectUrl }: OauthSettings, ask: Ask): Promise<Session> {
  if (projectUrl === "" || session.project_id !== "" || session.access_token === "") return session;
  const metadata = { ideType: "IDE_UNSPECIFIED", platform: "PLATFORM_UNSPECIFIED", pluginType: "GEMINI" };
  const reply = await ask(projectUrl, {
    method: "POST",
    headers: { ...bearer(session), "content-type": "application/json" },
    body: JSON.stringify({ metadata }),
  });
  const project = reply.cloudaicompanionProject;
  return { ...session, project_id: isObject(project) ? oneLine(project.id) : oneLine(project) };
}

async function modelsOf(session: Session, settings: OauthSettings, ask: Ask): Promise<readonly string[] | null> {
  if (settings.apiBase === "" || session.access_token === "") return null;
  const headers = { ...bearer(session), ...settings.vendor.modelHeaders };
  const reply = await ask(`${settings.apiBase}/models`, { headers });
  const list = [reply.data, reply.models].find(Array.isArray);
  if (!list) return null;
  const names = list.slice(0, maxModels).map((item: unknown) => {
    const name = isObject(item) ? oneLine(item.id) || oneLine(item.name) : oneLine(item);
    return name.replace(/^models\//, "");
  });
  return [...new Set(names.filter((name) => name !== ""))];
}

/** Nothing when it did not work. */
async function askJson(
  send: Transport,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(eachMs)]);
    const headers = {
      accept: "application/json",
      "user-agent": "chela/1.0",
      ...(init.headers as Record<string, string>),
    };
    const response = await send(url, { ...init, headers, signal: limit });
    return response.ok ? objectOf(await response.json()) : {};
  } catch {
    return {};
  }
}

function bearer(session: Session): Record<string, string> {
  return { authorization: `Bearer ${session.api_key || session.access_token}` };
}
