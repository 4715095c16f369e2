/** The OpenAI face: models, chat completions, responses, embeddings and tools, over the providers, the agents and the tools. */
import {
  agent,
  type Context,
  definePlugin,
  limits,
  need,
  objectOf,
  providers,
  type RouteRequest,
  store,
  Type,
  tools,
} from "@chela/sdk";
import { errorReply, invalid, noEmbeddings, unknownModel } from "./errors.ts";
import { Idempotency, migrations as requestTables } from "./idempotency.ts";
import { destination, isListed, modelRows } from "./models.ts";
import { withRate } from "./rate.ts";
import { KeptResponses, migrations as responseTables } from "./responses/kept.ts";
import { ChatBody, EmbeddingsBody, InvokeBody, ItemsQuery, ResponseId, ResponsesBody, StreamQuery } from "./schemas.ts";

const bodyBytes = 20 * 1024 * 1024;
const invokeBytes = 2 * 1024 * 1024;
const hour = 3_600_000;

const needs = {
  providers: need(providers, "^1.0.0"),
  agent: need(agent, "^1.0.0"),
  store: need(store, "^1.0.0"),
  tools: need(tools, "^1.0.0"),
  limits: need(limits, "^1.0.0", { optional: true }),
};

type Ctx = Context<unknown, typeof needs>;

export default definePlugin({
  id: "openai",
  version: "1.0.0",
  host: "^1.0.0",
  about: "The OpenAI API: models, chat completions, responses, embeddings and tools",
  needs,
  config: Type.Object({}, { additionalProperties: true }),
  async setup(ctx) {
    await ctx.use.store.migrate("openai.requests", requestTables);
    await ctx.use.store.migrate("openai.responses", responseTables);
    const requests = new Idempotency(ctx.use.store);
    const kept = new KeptResponses(ctx.use.store);
    ctx.every(hour, async () => {
      await requests.purge();
      await kept.purge();
    });
    registerModels(ctx);
    registerCompletions(ctx, requests);
    registerResponses(ctx, requests, kept);
    registerInvoke(ctx, requests);
    ctx.on("http:error", (error, { path }) => (isOurs(path) ? errorReply(error) : undefined));
  },
});

/** The relay is ClawGo's and lies here all the same. */
function isOurs(path: string): boolean {
  return (path === "/v1" || path.startsWith("/v1/") || path === "/tools/invoke") && path !== "/v1/ws";
}

function registerModels(ctx: Ctx): void {
  const rows = () => modelRows(ctx.use.agent.agents(), ctx.use.providers.models());
  ctx.route({
    method: "GET",
    path: "/v1/models",
    access: "read",
    about: "Everything that may be named as model",
    handler: (request) => answer(ctx, request, () => ({ object: "list", data: rows() })),
  });
  ctx.route({
    method: "GET",
    path: "/v1/models/*",
    params: Type.Object({ path: Type.String({ description: "Id of the model, with its slashes" }) }),
    access: "read",
    about: "One model, by its id, with its slashes plain or encoded",
    handler: (request) =>
      answer(ctx, request, () => {
        const id = request.params["*"] ?? "";
        const found = rows().find((row) => row.id === id);
        if (!found) throw unknownModel(id);
        return found;
      }),
  });
}

function registerCompletions(ctx: Ctx, requests: Idempotency): void {
  let chat: typeof import("./chat/complete.ts") | undefined;
  const load = async () => {
    chat = await import("./chat/complete.ts");
    return chat;
  };
  ctx.route({
    method: "POST",
    path: "/v1/chat/completions",
    access: "write",
    about: "A completion from a model (provider/model) or from an agent (chela, openclaw/…), whole or streamed",
    body: ChatBody,
    limit: bodyBytes,
    handler: (request) =>
      answer(ctx, request, () =>
        requests.run(request, () =>
          chat ? chat.complete(request, ctx.use) : load().then(({ complete }) => complete(request, ctx.use)),
        ),
      ),
  });
  ctx.route({
    method: "POST",
    path: "/v1/embeddings",
    access: "write",
    about: "Embeddings from a model (provider/model), as numbers or base64, whole or shortened to `dimensions`",
    body: EmbeddingsBody,
    limit: bodyBytes,
    handler: (request) => answer(ctx, request, () => requests.run(request, () => embed(ctx, request))),
  });
}

/** With the limits of the key that asks, where it has some. */
function answer(ctx: Ctx, { identity }: RouteRequest, work: () => unknown): unknown {
  const rate = identity.kind === "key" ? ctx.use.limits?.rate(identity) : undefined;
  return rate ? withRate(work, rate) : work();
}

async function embed(ctx: Ctx, request: RouteRequest<unknown, { model: string }>): Promise<unknown> {
  const { body, cancellation: signal, identity } = request;
  const { providers } = ctx.use;
  const { model } = body;
  if (!("model" in (destination(model, () => []) ?? {}))) throw unknownModel(model);
  // Asked all the same, a vendor of another API would take the key for a wrong one.
  if (!providers.passes(model, "/embeddings"))
    throw isListed(model, providers.models()) ? noEmbeddings(model) : unknownModel(model);
  const [{ shaped, wanted }, { straight }] = await Promise.all([
    import("./embeddings.ts"),
    import("./chat/straight.ts"),
  ]);
  const want = wanted(body);
  const caller = { purpose: "embeddings", identity, request: body };
  const asked = { model, path: "/embeddings", body, signal, caller };
  return shaped(await straight(providers, asked), want);
}

function registerResponses(ctx: Ctx, requests: Idempotency, kept: KeptResponses): void {
  ctx.route({
    method: "POST",
    path: "/v1/responses",
    access: "write",
    about: "A response from a model (provider/model) or from an agent, whole or as events",
    body: ResponsesBody,
    limit: bodyBytes,
    handler: (request) =>
      answer(ctx, request, () =>
        requests.run(request, async () => (await import("./responses/respond.ts")).respond(request, ctx.use, kept)),
      ),
  });
  ctx.route({
    method: "GET",
    path: "/v1/responses/:id",
    access: "read",
    about: "A response that was kept, for 30 days",
    params: ResponseId,
    query: StreamQuery,
    handler: (request) =>
      answer(ctx, request, () => {
        if (request.query.stream) throw invalid("stream is not supported here: the response is over", "stream");
        return kept.response(request.params.id ?? "", request.identity);
      }),
  });
  ctx.route({
    method: "GET",
    path: "/v1/responses/:id/input_items",
    access: "read",
    about: "What a kept response was made from, with all that went before it",
    params: ResponseId,
    query: ItemsQuery,
    handler: (request) =>
      answer(ctx, request, async () => {
        const { id = "" } = request.params;
        const { inputItems } = await import("./responses/listing.ts");
        return inputItems(id, await kept.origin(id, request.identity), request.query);
      }),
  });
  ctx.route({
    method: "DELETE",
    path: "/v1/responses/:id",
    access: "write",
    about: "Forgets a response",
    params: ResponseId,
    handler: (request) =>
      answer(ctx, request, async () => {
        const { id = "" } = request.params;
        await kept.remove(id, request.identity);
        return { id, object: "response", deleted: true };
      }),
  });
}

function registerInvoke(ctx: Ctx, requests: Idempotency): void {
  for (const path of ["/tools/invoke", "/v1/tools/invoke"]) {
    ctx.route({
      method: "POST",
      path,
      access: "write",
      about: "Runs one tool: {tool | name, args | arguments, action?, sessionKey?}",
      limit: invokeBytes,
      body: InvokeBody,
      handler: (request) =>
        answer(ctx, request, () =>
          requests.run(
            request,
            async () => (await import("./invoke.ts")).invoke(request, ctx.use),
            objectOf(request.body).idempotencyKey,
          ),
        ),
    });
  }
}
