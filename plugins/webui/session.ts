/** Who sits at the page: what it is told before and after it signs in, and the panels that it may show him. */
import { allows, type Gateway, GatewayError, type Identity, Reply, type RouteRequest } from "@chela/sdk";

const uncached = { "cache-control": "no-store" };

/** A stranger learns how to sign in, and nothing of what runs here. */
export function tell(gateway: Gateway, request: RouteRequest): Reply {
  const { authMode, safeMode, safeModeReason, version } = gateway.status();
  const isIn = request.identity.kind !== "anonymous";
  const session = {
    signed_in: isIn,
    identity: isIn ? shown(request.identity) : null,
    auth_mode: authMode,
    cookie: gateway.hasCookie(request),
    version: isIn ? version : null,
    safe_mode: safeMode,
    safe_mode_reason: isIn ? safeModeReason : "",
  };
  return Reply.json(session, { headers: uncached });
}

export async function login(
  gateway: Gateway,
  request: RouteRequest<unknown, { readonly credential: string }>,
): Promise<Reply> {
  // No form of another page can send this type.
  if (!/^application\/json\b/i.test(String(request.headers["content-type"])))
    throw new GatewayError("BODY_TYPE", 415, "send {credential} as application/json");
  const { identity, cookie } = await gateway.signIn(request.body.credential, request);
  const headers = { ...uncached, ...(cookie !== null && { "set-cookie": cookie }) };
  return Reply.json({ ok: true, identity: shown(identity) }, { headers });
}

export async function logout(gateway: Gateway, request: RouteRequest): Promise<Reply> {
  const { cookie, closed } = await gateway.signOut(request);
  return Reply.json({ ok: true, closed }, { headers: { ...uncached, "set-cookie": cookie } });
}

export function panelsOf(gateway: Gateway, { identity }: RouteRequest) {
  const place = ({ order = Number.MAX_SAFE_INTEGER }: { order?: number }) => order;
  return gateway
    .panels()
    .filter(({ access }) => allows(identity, access))
    .map(({ access: _access, ...panel }) => panel)
    .sort((a, b) => place(a) - place(b) || a.id.localeCompare(b.id));
}

function shown({ kind, name, scopes }: Identity) {
  return { kind, name, scopes };
}
