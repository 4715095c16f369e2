/** API keys as credentials, and how a secret is shown. */
import { createHash } from "node:crypto";
import { GatewayError } from "@chela/sdk";
import type { ProviderSpec } from "../settings.ts";
import type { Credential, Signed } from "./credential.ts";

/** The first and last of a secret, as ClawGo shows it. */
export function masked(secret: string): string {
  if (secret === "") return "";
  return secret.length <= 8 ? `${secret.slice(0, 2)}***` : `${secret.slice(0, 4)}***${secret.slice(-4)}`;
}

/** The keys of a provider in order; one that needs none has one credential that signs nothing. */
export function keyCredentials(spec: ProviderSpec): readonly Credential[] {
  if (spec.keys.length > 0) return spec.keys.map((key) => keyCredential(key, spec));
  return spec.mode === "none" || spec.mode === "key" ? [unsigned(spec)] : [];
}

function keyCredential(key: string, spec: ProviderSpec): Credential {
  const signed: Signed = { token: key };
  return {
    id: `key:${digest(`${spec.fingerprint}\n${key}`)}`,
    kind: "api_key",
    target: masked(key),
    token: () => signed,
  };
}

function unsigned(spec: ProviderSpec): Credential {
  const signed: Signed = { token: undefined };
  const kind = spec.transport === "relay" ? "relay" : "none";
  return { id: `none:${spec.fingerprint}`, kind, target: "", token: () => signed };
}

/** Stands where a provider has accounts only and nobody has logged in: it says so to whoever asks it. */
export function loggedOut(spec: ProviderSpec): Credential {
  return {
    id: `none:${spec.name}`,
    kind: "oauth",
    target: "",
    token: async () => {
      throw new GatewayError(
        "UPSTREAM_NO_TOKEN",
        401,
        `${spec.name}: oauth session not found, run chela provider login ${spec.name} first`,
      );
    },
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
