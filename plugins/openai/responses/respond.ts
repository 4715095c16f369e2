/** `POST /v1/responses`: an agent's turn or a model's answer, whole or as events, and kept for the request that follows. */
import { type Message, Reply, type RouteRequest, type TurnResult, type TurnRun } from "@chela/sdk";
import { refuseOrphans } from "../chat/messages.ts";
import { straight } from "../chat/straight.ts";
import { complete } from "../chat/turn-reply.ts";
import { sessionOf, spoken } from "../chat/turn-request.ts";
import { header } from "../header.ts";
import { modelRun } from "../model-run.ts";
import { type Face, type Target, targetOf } from "../target.ts";
import type { KeptResponses } from "./kept.ts";
import {
  type Body,
  callItem,
  endOf,
  type Item,
  itemId,
  messageItem,
  newResponseId,
  type ResponseEnd,
  type ResponseHead,
  reasoningItem,
  responseObject,
} from "./object.ts";
import { withItems } from "./references.ts";
import { type Asked, readAsked } from "./request.ts";
import { responseEvents } from "./stream.ts";

type Request = RouteRequest<unknown, Body>;

export async function respond(request: Request, face: Face, kept: KeptResponses): Promise<unknown> {
  const { body, identity, signal } = request;
  const target = targetOf(request, face);
  const path = "/responses";
  if ("model" in target && face.providers.passes(target.model, path) && !(await isOurs(request, kept))) {
    const caller = { purpose: "straight", identity, request: body };
    return straight(face.providers, { model: target.model, path, body, signal, caller });
  }
  const asked = readAsked({ ...body, input: await withItems(body.input, kept, identity) });
  const past = asked.previous === undefined ? [] : await kept.past(asked.previous, identity);
  const run = begin(request, { face, target, asked, past });
  const head: ResponseHead = {
    id: newResponseId(),
    createdAt: Math.floor(Date.now() / 1000),
    model: target.asked,
    body,
  };
  const keep = async (end: ResponseEnd, result: TurnResult) => {
    if (!asked.stored) return;
    const response = responseObject(head, end);
    const { id } = head;
    await kept.keep({ id, previous: asked.previous, input: asked.input, reply: replyOf(result), response }, identity);
  };
  if (body.stream !== true) return whole(run, head, keep);
  const events = run.events[Symbol.asyncIterator]();
  let first = await events.next();
  while (!first.done && first.value.type === "start") first = await events.next();
  // Nothing was said: the turn is over, and if it failed this throws.
  if (first.done) await run.done;
  return Reply.sse(responseEvents({ run, head, first, events, keep }));
}

/** A past that the upstream does not know, since we told it. */
async function isOurs({ body, identity }: Request, kept: KeptResponses): Promise<boolean> {
  const { previous_response_id: previous } = body;
  return typeof previous === "string" && (await kept.has(previous, identity));
}

async function whole(
  run: TurnRun,
  head: ResponseHead,
  keep: (end: ResponseEnd, result: TurnResult) => Promise<void>,
): Promise<unknown> {
  const result = complete(await run.done);
  const output: Item[] = [];
  const id = (prefix: "msg" | "fc" | "rs") => itemId(prefix, head.id, output.length);
  if (result.reasoning) output.push(reasoningItem(id("rs"), result.reasoning));
  const { status, reason } = endOf(result);
  if (result.text !== "") output.push(messageItem(id("msg"), result.text, status));
  for (const call of result.toolCalls) output.push(callItem(id("fc"), call));
  const end: ResponseEnd = { status, ...(reason !== undefined && { reason }), output, usage: result.usage };
  await keep(end, result);
  return responseObject(head, end);
}

function begin(
  { identity, signal, headers, body }: Request,
  { face, target, asked, past }: { face: Face; target: Target; asked: Asked; past: readonly Message[] },
): TurnRun {
  const { instructions, tools, options } = asked;
  const messages = [...past, ...asked.input];
  refuseOrphans(messages, () => "input");
  if ("model" in target) {
    const system: readonly Message[] = instructions === "" ? [] : [{ role: "system", content: instructions }];
    const request = {
      model: target.model,
      messages: [...system, ...messages],
      ...options,
      ...(tools.length > 0 ? { tools } : {}),
    };
    return modelRun(face.providers, { request, signal, caller: { purpose: "straight", identity, request } });
  }
  const session = sessionOf(header(headers["x-openclaw-session-key"]), body.user);
  const said = spoken(messages, session);
  const run = face.agent.run({
    session,
    ...said,
    instructions: [instructions, said.instructions ?? ""].filter((text) => text !== "").join("\n\n"),
    agent: target.agent,
    model: target.override,
    ...(tools.length > 0 ? { clientTools: tools } : {}),
    options,
    channel: "openai",
    identity,
    signal,
  });
  run.done.catch(() => undefined);
  return run;
}

function replyOf({ text, toolCalls }: TurnResult): Message {
  return { role: "assistant", content: text, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}
