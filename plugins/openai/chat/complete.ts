/** `POST /v1/chat/completions`: to an agent, straight through to a model that speaks this wire, or translated to one that does not. */
import type { ModelRequest, RouteRequest } from "@chela/sdk";
import { modelRun } from "../model-run.ts";
import { type Face, targetOf } from "../target.ts";
import { readMessages, readTools } from "./messages.ts";
import { straight } from "./straight.ts";
import { streamReply, wholeReply } from "./turn-reply.ts";
import { type Body, readOptions, turnRequest } from "./turn-request.ts";

const path = "/chat/completions";

export function complete(request: RouteRequest<unknown, Body>, face: Face): Promise<unknown> {
  const { body, identity } = request;
  const target = targetOf(request, face);
  const { include_usage: includeUsage } = (body.stream_options ?? {}) as { include_usage?: unknown };
  const options = { model: target.asked, includeUsage: includeUsage === true };
  const answer = body.stream === true ? streamReply : wholeReply;
  if (!("model" in target)) {
    const run = face.agent.run(turnRequest(request, { agent: target.agent, model: target.override }));
    run.done.catch(() => undefined);
    return answer(run, options);
  }
  const { model } = target;
  const caller = { purpose: "straight", identity, request: body };
  if (face.providers.passes(model, path))
    return straight(face.providers, { model, path, body, signal: request.cancellation, caller });
  return answer(
    modelRun(face.providers, { request: modelRequest(model, body), signal: request.signal, caller }),
    options,
  );
}

function modelRequest(model: string, body: Body): ModelRequest {
  const tools = readTools(body.tools);
  return {
    model,
    messages: readMessages(body.messages),
    ...(tools.length > 0 ? { tools } : {}),
    ...readOptions(body, tools),
  };
}
