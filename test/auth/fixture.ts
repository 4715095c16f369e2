/** Settings as the host resolves them, from the few keys a case is about. */
import type { Credentials } from "@chela/sdk";
import { type CredentialSource, readCredentials } from "../../kernel/auth/credentials.ts";
import { type ResolvedAuth, resolveAuth } from "../../kernel/auth/settings.ts";
import { GatewaySection, type GatewaySettings } from "../../kernel/config/gateway-schema.ts";
import { sectionProblems } from "../../kernel/validate.ts";

export const token = "chela_test-token-of-the-right-length";
export const generated = "chela_generated-token-of-this-gateway";

/** The `gateway` section with its defaults filled in. Fails on a key the schema refuses. */
export async function gatewaySettings(section: Record<string, unknown> = {}): Promise<GatewaySettings> {
  const value = structuredClone(section);
  const problems = await sectionProblems(GatewaySection, value);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return value as GatewaySettings;
}

export async function resolved(section: Record<string, unknown> = {}): Promise<ResolvedAuth> {
  return resolveAuth(await gatewaySettings(section), generated);
}

/** What a request from `peer` (default: a stranger) presents under `auth`. */
export function present(
  auth: Pick<ResolvedAuth, "trusts" | "cookieName">,
  source: Partial<CredentialSource>,
  what: "route" | "stream" = "route",
): Credentials {
  return readCredentials({ headers: {}, peer: "203.0.113.7", ...source }, auth, what);
}

export function bearer(value: string): { authorization: string } {
  return { authorization: `Bearer ${value}` };
}
