/** The OpenAI face: `/v1/models`, `/v1/chat/completions` and `/v1/embeddings`, over the providers and the agents. */
import { agent, definePlugin, need, providers, type RouteRequest, Type, type Uses } from "@chela/sdk";
import { errorReply, invalid, unknownModel } from "./errors.ts";
import { destination, isListed, modelRows } from "./models.ts";
import { straight } from "./straight.ts";
import { streamReply, wholeReply } from "./turn-reply.ts";
import { type Body, header, turnRequest } from "./turn-request.ts";

const bodyBytes = 20 * 1024 * 1024;

const needs = { providers: need(providers, "^1.0.0"), agent: need(agent, "^1.0.0") };

type Services = Uses<typeof needs>;

const ChatBody = Type.Object(
  {
    model: Type.Optional(Type.Union([Type.String({ maxLength: 300 }), Type.Null()])),
    messages: Type.Array(Type.Unknown()),
    stream: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  },
  { additionalProperties: true },
);

const EmbeddingsBody = Type.Object(
  { model: Type.String({ maxLength: 300 }), input: Type.Unknown() },
  { additionalProperties: true },
);

export default definePlugin({
  id: "openai",
  version: "1.0.0",
  host: "^1.0.0",
  about: "The OpenAI API: models, chat completions and embeddings",
  needs,
  config: Type.Object({}, { additionalProperties: true }),
  setup(ctx) {
    const rows = () => modelRows(ctx.use.agent.agents(), ctx.use.providers.models());
    ctx.route({
      method: "GET",
      path: "/v1/models",
      access: "read",
      about: "Everything that may be named as model",
      handler: () => ({ object: "list", data: rows() }),
    });
    ctx.route({
      method: "GET",
      path: "/v1/models/*",
      access: "read",
      about: "One model, by its id, with its slashes plain or encoded",
      handler: ({ params }) => {
        const id = params["*"] ?? "";
        const found = rows().find((row) => row.id === id);
        if (!found) throw unknownModel(id);
        return found;
      },
    });
    ctx.route({
      method: "POST",
      path: "/v1/chat/completions",
      access: "write",
      about: "A completion from a model (provider/model) or from an agent (chela, openclaw/…), whole or streamed",
      body: ChatBody,
      limit: bodyBytes,
      handler: (request) => complete(request, ctx.use),
    });
    ctx.route({
      method: "POST",
      path: "/v1/embeddings",
      access: "write",
      about: "Embeddings from a model (provider/model)",
      body: EmbeddingsBody,
      limit: bodyBytes,
      handler: ({ body, signal }) => {
        if (!("model" in (destination(body.model, []) ?? {}))) throw unknownModel(body.model);
        return straight(ctx.use.providers, { model: body.model, path: "/embeddings", body, signal });
      },
    });
    ctx.on("http:error", (error, { path }) =>
      path === "/v1" || path.startsWith("/v1/") ? errorReply(error) : undefined,
    );
  },
});

async function complete(request: RouteRequest<unknown, Body>, services: Services): Promise<unknown> {
  const { body, signal, headers } = request;
  const model = typeof body.model === "string" ? body.model.trim() : "";
  const agents = services.agent.agents();
  const to = destination(model === "" ? "chela" : model, agents);
  if (!to) throw unknownModel(model);
  if ("model" in to) return straight(services.providers, { model: to.model, path: "/chat/completions", body, signal });

  const named = header(headers["x-openclaw-agent-id"]);
  if (named !== undefined && !agents.some((one) => one.id === named))
    throw invalid(`Unknown agent '${named.slice(0, 100)}'.`, "x-openclaw-agent-id");
  const override = header(headers["x-openclaw-model"]);
  if (override !== undefined && !isListed(override, services.providers.models())) throw unknownModel(override);
  const run = services.agent.run(turnRequest(request, { agent: named ?? to.agent, model: override }));
  run.done.catch(() => undefined);
  const { include_usage: includeUsage } = (body.stream_options ?? {}) as { include_usage?: unknown };
  const options = { model: model || "chela", includeUsage: includeUsage === true };
  return body.stream === true ? streamReply(run, options) : wholeReply(run, options);
}
