/** The settings of a provider whose accounts are those of the simulated server. */
import { clientId, type OauthServer, redirectUri } from "./server.ts";

export function ownProvider(
  server: Pick<OauthServer, "authUrl" | "tokenUrl" | "deviceUrl">,
  more: Record<string, unknown> = {},
  oauth: Record<string, unknown> = {},
) {
  return {
    api_base: "http://127.0.0.1:9/v1",
    auth: "oauth",
    ...more,
    oauth: {
      provider: "acme",
      client_id: clientId,
      auth_url: server.authUrl,
      token_url: server.tokenUrl,
      redirect_url: redirectUri,
      scopes: ["openid", "email", "offline_access"],
      ...oauth,
    },
  };
}
