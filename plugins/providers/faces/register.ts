/** The plugin's routes and methods; what they do is loaded when the first of them is asked. */
import { Type } from "@chela/sdk";
import type { ProvidersContext } from "../index.ts";
import type { Upstreams } from "../upstreams.ts";

const Name = (description: string) => Type.String({ maxLength: 100, description });
const Model = Type.Optional(
  Type.String({ minLength: 1, maxLength: 300, description: "provider/model; default: the primary one" }),
);

const RuntimeQuery = Type.Object({
  provider: Type.Optional(Type.String({ description: "Only this provider" })),
  kind: Type.Optional(Type.String({ description: "api_key, oauth, scheduler or relay" })),
  reason: Type.Optional(Type.String({ description: "Part of an event's reason" })),
  target: Type.Optional(Type.String({ description: "Part of an event's target or detail" })),
  sort: Type.Optional(Type.String({ description: "asc: the oldest first" })),
  changes_only: Type.Optional(Type.String({ description: "true: no hits and no errors" })),
  window_sec: Type.Optional(Type.String({ description: "Events of so many seconds" })),
  limit: Type.Optional(Type.String({ description: "Events in a page; default 20" })),
  cursor: Type.Optional(Type.String({ description: "Where the page begins: next_cursor of the one before" })),
  health_below: Type.Optional(Type.String({ description: "Only providers with a candidate below it" })),
  cooldown_until_before_sec: Type.Optional(
    Type.String({ description: "Only providers with a candidate whose rest ends within so many seconds" }),
  ),
});

/** For the reference only: what does not fit is answered in ClawGo's words. */
const ActionBody = Type.Unsafe<unknown>({
  properties: {
    provider: { description: "Name of the provider; default: the primary one" },
    action: { description: "clear_api_cooldown, clear_history, refresh_now or rerank" },
    only_expiring: { description: "For refresh_now: true renews only accounts whose time is near" },
  },
});
const ModelsBody = Type.Unsafe<unknown>({
  properties: {
    provider: { description: "Name of the provider; default: the primary one" },
    models: { description: "Names of models, in order" },
    model: { description: "One more" },
  },
});

export function registerFaces(ctx: ProvidersContext, upstreams: Upstreams): void {
  registerRoutes(ctx, upstreams);
  registerMethods(ctx, upstreams);
  registerCare(ctx, upstreams);
}

function registerRoutes(ctx: ProvidersContext, upstreams: Upstreams): void {
  ctx.route({
    method: "GET",
    path: "/api/provider/runtime",
    access: "read",
    about: "Health, rests, order of candidates and newest events of the providers.",
    query: RuntimeQuery,
    handler: async ({ query }) => (await import("./runtime.ts")).runtimeView(upstreams, query),
  });
  ctx.route({
    method: "POST",
    path: "/api/provider/runtime",
    access: "write",
    about: "Changes what is known of one provider: action clear_api_cooldown, clear_history, refresh_now or rerank.",
    body: ActionBody,
    handler: async ({ body }) => (await import("./runtime.ts")).runtimeAction(upstreams, body),
  });
  ctx.route({
    method: "POST",
    path: "/api/provider/models",
    access: "admin",
    about: "Replaces the models of a configured provider.",
    body: ModelsBody,
    handler: async ({ body }) => (await import("./models.ts")).replaceModels(ctx, upstreams, body),
  });
}

function registerMethods(ctx: ProvidersContext, upstreams: Upstreams): void {
  ctx.method({
    name: "providers.models",
    access: "read",
    about: "All models that can be asked, where they come from, and which one answers by default",
    handler: () => ({
      models: upstreams.models(),
      primary: upstreams.primary(),
      fallbacks: upstreams.fallbacks(),
      cooling: upstreams.status().cooling,
    }),
  });
  ctx.method({
    name: "providers.list",
    access: "read",
    about: "All providers with their address, credentials and how they do",
    handler: async () => (await import("./list.ts")).listProviders(upstreams),
  });
  ctx.method({
    name: "providers.presets",
    access: "read",
    about: "The vendors that are known, and what each wants to be told",
    handler: async () => (await import("./presets.ts")).listPresets(process.env),
  });
  ctx.method({
    name: "providers.upstream_models",
    access: "write",
    about: "Asks a provider which models it has",
    params: Type.Object({ provider: Name("Name of the provider") }),
    handler: async ({ provider }, call) =>
      (await import("./models.ts")).upstreamModels(upstreams, provider, call.signal),
  });
  ctx.method({
    name: "providers.count_tokens",
    access: "write",
    about: "How many tokens a text has for a model, by its vendor's own count; null where the vendor does not count",
    params: Type.Object({
      model: Model,
      text: Type.String({ minLength: 1, maxLength: 4_194_304, description: "What a user says" }),
      system: Type.Optional(Type.String({ maxLength: 4_194_304, description: "Instructions that go before it" })),
    }),
    handler: async (params, call) => (await import("./models.ts")).countTokens(upstreams, params, call.signal),
  });
  ctx.method({
    name: "providers.test",
    access: "write",
    about: "Asks a model for a word and reports the time to it",
    params: Type.Object({ model: Model }),
    handler: async ({ model }, { signal, identity }) => {
      const { testModel, asDependency } = await import("../probe.ts");
      return testModel(upstreams, { model: model ?? upstreams.primary(), identity }, signal).catch(asDependency);
    },
  });
}

function registerCare(ctx: ProvidersContext, upstreams: Upstreams): void {
  ctx.method({
    name: "providers.cooldowns",
    access: "read",
    about: "Who is left alone now, why, and for how long",
    handler: async () => {
      await upstreams.runtime.ready;
      return { cooldowns: upstreams.runtime.cooling() };
    },
  });
  ctx.method({
    name: "providers.clear",
    access: "write",
    about: "Ends the rests of a provider, or of all: its keys and accounts are asked again at once",
    params: Type.Object({ provider: Type.Optional(Name("Name of the provider; default: all of them")) }),
    handler: async ({ provider }) => (await import("./list.ts")).clearRests(upstreams, provider),
  });
  ctx.method({
    name: "providers.runtime",
    access: "read",
    about: "What GET /api/provider/runtime shows, and all providers in a few numbers",
    params: Type.Object(
      { provider: Type.Optional(Type.String({ maxLength: 300, description: "Only this provider" })) },
      { additionalProperties: true },
    ),
    handler: async (params) => {
      const { runtimeView } = await import("./runtime.ts");
      const shown = (await runtimeView(upstreams, { ...params })) as { view: unknown };
      return { ...shown, summary: upstreams.runtime.summary(params.provider || undefined) };
    },
  });
}
