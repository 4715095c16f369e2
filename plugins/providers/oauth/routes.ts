/** `/api/provider/oauth/*`: ClawGo's calls over the office. Whatever changes something is the admin's. */
import { type Context, GatewayError, Reply, Type } from "@chela/sdk";
import type { Core } from "./core.ts";

const base = "/api/provider/oauth";
const text = (description: string) => Type.Optional(Type.String({ maxLength: 16_384, description }));
const names = {
  provider: text("Name of the provider in the config; absent: the primary one"),
  account_label: text("What the account is called, where the vendor tells no e-mail"),
  network_proxy: text("Proxy of this account: http, https or socks5"),
};
const StartQuery = Type.Object(names, { additionalProperties: true });
const AccountsQuery = Type.Object({ provider: names.provider }, { additionalProperties: true });
/** For the reference only: what does not fit is answered in ClawGo's words. */
const fields = (properties: Readonly<Record<string, { readonly description: string }>>) =>
  Type.Unsafe<unknown>({ properties });
const login = {
  provider: { description: "Name of the provider in the config; absent: the primary one" },
  account_label: { description: "What the account is called, where the vendor tells no e-mail" },
  network_proxy: { description: "Proxy of this account: http, https or socks5" },
  provider_config: { description: "A provider as it would stand in the config; only the admin's own addresses" },
};
const StartBody = fields(login);
const CompleteBody = fields({
  ...login,
  flow_id: { description: "As start told it" },
  callback_url: { description: "The address that the browser ended up at; not for device codes" },
});
const ActionBody = fields({
  action: { description: "refresh, delete or clear_cooldown" },
  credential_file: { description: "Path or bare name of the account's file, as the list tells it" },
});
const maxFileBytes = 1024 * 1024;

type Load = () => Promise<Core>;

export function registerRoutes(ctx: Pick<Context, "route">, load: Load): void {
  startRoutes(ctx, load);
  ctx.route({
    method: "POST",
    path: `${base}/complete`,
    access: "admin",
    about:
      "Finishes a login: with the address the browser ended up at, or when a device code was confirmed (202 until then)",
    body: CompleteBody,
    handler: async ({ body, signal }) => {
      const { office, fieldsOf } = await load();
      const result = await office.complete(fieldsOf(body), signal);
      return result.ok ? result : Reply.json(result, { status: 202, headers: { "retry-after": "1" } });
    },
  });
  ctx.route({
    method: "POST",
    path: `${base}/import`,
    access: "admin",
    about: "Takes over an account from an auth JSON file (multipart, field `file`)",
    upload: { maxFileBytes, maxFiles: 1 },
    handler: async ({ body, files }) => {
      const file = files.find(({ field }) => field === "file");
      if (!file) throw new GatewayError("BAD_REQUEST", 400, "file required");
      const { office, fieldsOf, readText } = await load();
      return office.import(await readText(file.path), file.name, fieldsOf(body));
    },
  });
  accountRoutes(ctx, load);
}

function startRoutes(ctx: Pick<Context, "route">, load: Load): void {
  const about = "Begins a login; the answer says where to go and what to type";
  ctx.route({
    method: "GET",
    path: `${base}/start`,
    access: "admin",
    about,
    query: StartQuery,
    // A provider config does not fit into an address.
    handler: async ({ query }) => (await load()).office.start({ ...query, provider_config: undefined }, false),
  });
  ctx.route({
    method: "POST",
    path: `${base}/start`,
    access: "admin",
    about,
    query: StartQuery,
    body: StartBody,
    handler: async ({ query, body }) => {
      const { office, fieldsOf } = await load();
      return office.start({ ...query, ...fieldsOf(body) }, false);
    },
  });
}

function accountRoutes(ctx: Pick<Context, "route">, load: Load): void {
  ctx.route({
    method: "GET",
    path: `${base}/accounts`,
    access: "read",
    about: "The accounts of a provider; never a token",
    query: AccountsQuery,
    handler: async ({ query }) => ({ ok: true, accounts: (await load()).office.list(query.provider ?? "") }),
  });
  ctx.route({
    method: "POST",
    path: `${base}/accounts`,
    access: "admin",
    about: "Renews the token of an account, removes it, or ends its cooldown: action refresh, delete, clear_cooldown",
    query: AccountsQuery,
    body: ActionBody,
    handler: async ({ query, body }) => {
      const { office, fieldsOf } = await load();
      return office.change(query.provider ?? "", fieldsOf(body));
    },
  });
}
