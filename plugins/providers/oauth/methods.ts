/** `provider.oauth.*`: the same operations for the command line, which may also have the browser's way back caught here. */
import { type Context, Type } from "@chela/sdk";
import type { Core } from "./core.ts";

const text = (description: string, maxLength = 16_384) => Type.Optional(Type.String({ maxLength, description }));
const provider = text("Name of the provider; absent: the primary one", 200);
const flowId = Type.String({ minLength: 1, maxLength: 200, description: "As provider.oauth.start told it" });
const names = {
  provider,
  account_label: text("What the account is called", 200),
  network_proxy: text("Proxy of this account"),
};
const file = Type.String({
  minLength: 1,
  maxLength: 4096,
  description: "credential_file of the account, or its bare name",
});

export function registerMethods(ctx: Pick<Context, "method">, load: () => Promise<Core>): void {
  loginMethods(ctx, load);
  ctx.method({
    name: "provider.oauth.accounts",
    access: "read",
    about: "The accounts of a provider; never a token",
    params: Type.Object({ provider }),
    handler: async (params) => ({ accounts: (await load()).office.list(params.provider ?? "") }),
  });
  ctx.method({
    name: "provider.oauth.refresh",
    access: "admin",
    about: "Renews the token of one account, or of all of a provider",
    params: Type.Object({
      provider,
      credential_file: Type.Optional(file),
      only_expiring: Type.Optional(Type.Boolean({ description: "Of all accounts only those whose time is near" })),
    }),
    handler: async (params) => {
      const { office } = await load();
      const name = params.provider ?? "";
      if (params.credential_file === undefined) return office.refreshAll(name, params.only_expiring ?? false);
      return { account: await office.refresh(name, params.credential_file) };
    },
  });
  ctx.method({
    name: "provider.oauth.remove",
    access: "admin",
    about: "Removes an account and its file",
    params: Type.Object({ provider, credential_file: file }),
    handler: async (params) => {
      const { office } = await load();
      return { removed: true, ...(await office.remove(params.provider ?? "", params.credential_file)) };
    },
  });
}

function loginMethods(ctx: Pick<Context, "method">, load: () => Promise<Core>): void {
  ctx.method({
    name: "provider.oauth.start",
    access: "admin",
    about: "Begins a login; with `listen` the browser's way back is caught on this machine",
    params: Type.Object({
      ...names,
      listen: Type.Optional(Type.Boolean({ description: "true: catch the browser's way back on this machine" })),
    }),
    handler: async (params) => (await load()).office.start(params, params.listen ?? false),
  });
  ctx.method({
    name: "provider.oauth.complete",
    access: "admin",
    about: "Finishes a login, or waits up to 25 s for it and answers `pending`",
    params: Type.Object({
      ...names,
      flow_id: flowId,
      callback_url: text("The address that the browser ended up at"),
    }),
    handler: async (params, call) => (await load()).office.complete(params, call.signal),
  });
  ctx.method({
    name: "provider.oauth.cancel",
    access: "admin",
    about: "Gives up a login that has begun",
    params: Type.Object({ flow_id: flowId }),
    handler: async (params) => (await load()).office.cancel(params.flow_id),
  });
  ctx.method({
    name: "provider.oauth.import",
    access: "admin",
    about: "Takes over an account from the text of an auth JSON file",
    params: Type.Object({
      ...names,
      content: Type.String({ minLength: 1, maxLength: 1024 * 1024, description: "The file's text" }),
      name: text("What the file is called", 200),
    }),
    handler: async (params) => (await load()).office.import(params.content, params.name || "auth.json", params),
  });
}
