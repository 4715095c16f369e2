/**
 * What an id_token says of an account: its e-mail, its id and its plan. The token came from the token endpoint over TLS or
 * from the operator's own file, its signature is not checked, and nothing but labels is taken from it.
 */
import { isObject, jsonOf, objectOf } from "@chela/sdk";
import { oneLine } from "./one-line.ts";

export interface Claims {
  readonly email?: string;
  readonly accountId?: string;
  readonly plan?: string;
  /** RFC 3339 as the vendor wrote them. */
  readonly activeStart?: string;
  readonly activeUntil?: string;
}

const maxChars = 64 * 1024;
const openai = "https://api.openai.com/auth";

export function claimsOf(idToken: string | undefined): Claims {
  const payload = payloadOf(idToken);
  const auth = isObject(payload[openai]) ? payload[openai] : {};
  return clean({
    email: text(payload.email),
    accountId: text(auth.chatgpt_account_id) ?? text(payload.sub),
    plan: text(auth.chatgpt_plan_type),
    activeStart: text(auth.chatgpt_subscription_active_start),
    activeUntil: text(auth.chatgpt_subscription_active_until),
  });
}

/** The payload of a JWT, or nothing. */
export function payloadOf(token: string | undefined): Record<string, unknown> {
  return partOf(token, 1);
}

export function headerOf(token: string | undefined): Record<string, unknown> {
  return partOf(token, 0);
}

/** ClawGo's plan and balance fields. */
export function balanceOf(
  vendor: string,
  idToken: string | undefined,
  projectId: string | undefined,
  now: number,
): Record<string, string> {
  if (vendor === "codex") {
    const { plan, activeStart, activeUntil } = claimsOf(idToken);
    if (plan === undefined) return {};
    return clean({
      plan_type: plan,
      quota_source: "id_token",
      balance_label: plan.toUpperCase(),
      balance_detail: span(activeStart, activeUntil, now),
      subscription_active_start: activeStart,
      subscription_active_until: activeUntil,
    });
  }
  if ((vendor === "gemini" || vendor === "antigravity") && projectId)
    return { quota_source: "project", balance_label: "project", balance_detail: projectId };
  return {};
}

function span(start: string | undefined, until: string | undefined, now: number): string | undefined {
  if (until === undefined) return start;
  const from = Date.parse(start ?? "");
  const to = Date.parse(until);
  const range = `${start ?? "?"} ~ ${until}`;
  if (!(to > from)) return range;
  const used = Math.round(Math.min(1, Math.max(0, (now - from) / (to - from))) * 100);
  return `${range} (${used}% used, ${100 - used}% left)`;
}

function partOf(token: string | undefined, index: number): Readonly<Record<string, unknown>> {
  if (token === undefined || token.length > maxChars) return {};
  const part = token.split(".")[index];
  if (part === undefined) return {};
  return objectOf(jsonOf(Buffer.from(part, "base64url").toString("utf8")));
}

function text(value: unknown): string | undefined {
  return oneLine(value) || undefined;
}

/** Without what is undefined. */
function clean<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}
