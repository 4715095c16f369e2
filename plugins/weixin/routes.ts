/** `/api/weixin/*`: ClawGo's calls. Reading is anybody's who may read, but for QR codes; whatever changes something is the admin's. */
import { allows, type Context, GatewayError, isObject, Reply, type RouteRequest, Type, wantsJson } from "@chela/sdk";
import type { Office } from "./office.ts";
import type { Flags } from "./status.ts";

/** What the routes need of the plugin. */
export interface Desk {
  readonly flags: () => Flags;
  readonly office: () => Promise<Office>;
  /** Switches the channel on as a draft when it is off. */
  readonly enable: () => Promise<void>;
}

const base = "/api/weixin";
const maxBodyBytes = 16 * 1024;
/** For the reference only: what does not fit is answered in ClawGo's words. */
const fields = (properties: Readonly<Record<string, { readonly description: string }>>) =>
  Type.Unsafe<unknown>({ properties });
const login = { login_id: { description: "As the status tells it" } };
const LoginBody = fields(login);
const VerifyBody = fields({ ...login, code: { description: "The number that the phone shows" } });
const BotBody = fields({ bot_id: { description: "As the status tells it" } });
const QrQuery = Type.Object({
  login_id: Type.Optional(Type.String({ maxLength: 200, description: "Absent: the first that can be scanned" })),
});

export function registerRoutes(ctx: Pick<Context, "on" | "route">, desk: Desk): void {
  const status = async ({ identity }: Pick<RouteRequest, "identity">) => {
    const flags = desk.flags();
    if (!flags.runtime_enabled) return { ok: false, ...flags, error: unavailable().message };
    return (await desk.office()).status(flags, allows(identity, "admin"));
  };
  ctx.route({
    method: "GET",
    path: `${base}/status`,
    access: "read",
    about: "Logins that are pending and accounts; QR codes for an admin only, tokens for nobody",
    handler: status,
  });
  qrRoute(ctx, desk);
  ctx.route({
    method: "POST",
    path: `${base}/login/start`,
    access: "admin",
    about: "Begins a login by QR code; a channel that is off is switched on as a draft",
    body: Type.Unknown({ description: "Nothing is read of it" }),
    limit: maxBodyBytes,
    handler: async (request) => {
      await desk.enable();
      await (await desk.office()).startLogin(request.signal);
      return status(request);
    },
  });
  const change: Change = (path, about, body, work) =>
    ctx.route({
      method: "POST",
      path: `${base}/${path}`,
      access: "admin",
      about,
      body,
      limit: maxBodyBytes,
      handler: async (request) => {
        if (!desk.flags().runtime_enabled) throw unavailable();
        await work(await desk.office(), request.body);
        return status(request);
      },
    });
  changes(change);
  ctx.on("http:error", (error, { path, headers }) => {
    if (error.code !== "BAD_JSON" || !path.startsWith(`${base}/`) || wantsJson(String(headers.accept)))
      return undefined;
    return Reply.text("invalid json body\n", { status: 400, headers: { "x-content-type-options": "nosniff" } });
  });
}

type Change = (
  path: string,
  about: string,
  body: typeof LoginBody,
  work: (office: Office, body: unknown) => unknown,
) => void;

function changes(change: Change): void {
  change("login/cancel", "Ends a login, or forgets one that came to nothing", LoginBody, (office, body) =>
    office.cancelLogin(textIn(body, "login_id")),
  );
  change("login/verify", "Passes on the number that the phone shows during a login", VerifyBody, (office, body) => {
    const code = textIn(body, "code");
    if (!/^[^\p{Cc}]{1,32}$/u.test(code)) throw new GatewayError("BAD_REQUEST", 400, "code is required");
    office.verifyLogin(textIn(body, "login_id"), code);
  });
  change("accounts/remove", "Forgets an account", BotBody, (office, body) =>
    office.removeAccount(textIn(body, "bot_id")),
  );
  change("accounts/default", "Makes an account the default one", BotBody, (office, body) =>
    office.makeDefault(textIn(body, "bot_id")),
  );
}

function qrRoute(ctx: Pick<Context, "route">, desk: Desk): void {
  ctx.route({
    method: "GET",
    path: `${base}/qr.svg`,
    access: "admin",
    about: "The QR code of a login",
    query: QrQuery,
    handler: async ({ query }) => {
      if (!desk.flags().runtime_enabled) throw new GatewayError("WEIXIN_QR_GONE", 404, "qr unavailable");
      const content = (await desk.office()).qrContent(query.login_id?.trim() ?? "");
      const { qrSvg } = await import("./qr.ts");
      return new Reply(qrSvg(content), { headers: { "content-type": "image/svg+xml", "cache-control": "no-store" } });
    },
  });
}

/** Empty when it is missing. Throws 400 `invalid json body` for what is no object, and for what is no text. */
function textIn(body: unknown, name: string): string {
  const value = isObject(body) ? (body[name] ?? "") : undefined;
  if (typeof value === "string") return value.trim().slice(0, 512);
  throw new GatewayError("BAD_JSON", 400, "invalid json body");
}

function unavailable(): GatewayError {
  return new GatewayError("WEIXIN_UNAVAILABLE", 503, "weixin channel unavailable");
}
