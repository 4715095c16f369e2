/** The model and its tools in turns, until there is an answer or a bound is reached. */
import {
  GatewayError,
  type Message,
  type ModelReply,
  type NewMessage,
  type ToolCall,
  type TurnResult,
  type Usage,
} from "@chela/sdk";
import { messageTokens } from "./context/tokens.ts";
import { callModel } from "./model-call.ts";
import { type CallMode, conversation, keepSystem, modelOf, modelRequest, sumUp } from "./model-request.ts";
import { placed } from "./outcomes.ts";
import type { Play } from "./play.ts";
import { holdsImages, withoutImages } from "./prompt/images.ts";
import { withRetries } from "./retry.ts";
import { weaker } from "./steering.ts";
import { runTools } from "./tool-round.ts";

export async function converse(play: Play): Promise<TurnResult> {
  const { max_tool_iterations: max } = play.world.settings().defaults;
  if (play.budget.exhausted) throw tokenLimit(play);
  for (let step = 1; ; step++) {
    hearOthers(play);
    const final = finalReason(play, step, max);
    const reply = await ask(play, { first: step === 1, final });
    play.usage = added(play.usage, reply.usage);
    play.cost = spent(play, reply);
    const theirs = reply.toolCalls.filter(({ name }) => play.clientTools.has(name));
    if (reply.toolCalls.length === 0 || theirs.length > 0) return conclude(play, reply, theirs);
    if (final !== undefined) {
      play.run.nextStep();
      throw step > max ? toolLimit(max) : tokenLimit(play);
    }
    await toolRound(play, reply);
  }
}

/** Why this call has to be the last one; undefined: it need not be. */
function finalReason({ budget }: Play, step: number, max: number): string | undefined {
  if (step > max) return `the limit of ${max} rounds of tool calls is reached.`;
  return step > 1 && budget.tight ? "the token budget of this turn is almost used up." : undefined;
}

/** Messages that came meanwhile are heard now; from here on the turn may do what the weakest of all may. */
function hearOthers(play: Play): void {
  for (const offer of play.inbox.hear()) {
    const { run, identity, request, said } = offer;
    if (said?.user) play.now.push(said.user);
    const weakest = weaker(play.turn.identity, identity) ?? play.turn.identity;
    if (weakest !== play.turn.identity) play.turn = { ...play.turn, identity: weakest };
    play.journal.heard(request);
    play.run.hear(run, said?.text ?? "", said?.seq ?? 0);
    offer.settle(new Error("heard in the running turn"));
  }
}

/** One call, once more in another form where the upstream says what was wrong with the first. */
async function ask(play: Play, mode: CallMode): Promise<ModelReply> {
  const request = await modelRequest(play, mode);
  const call = async (asked: typeof request) => {
    const reply = await withRetries(play, () => callModel(play, asked));
    play.budget.count(reply.usage, asked, reply);
    return reply;
  };
  try {
    return await call(request);
  } catch (error) {
    if (play.turn.signal.aborted || play.run.partial !== "") throw error;
    if (isTooLong(error)) return call({ ...request, messages: await shorter(play, request.messages) });
    if (isRefusal(error) && holdsImages(request.messages)) {
      return call({ ...request, messages: withoutImages(request.messages) });
    }
    throw error;
  }
}

/** Half of what was too long, by a summary where that is possible. */
async function shorter(play: Play, messages: readonly Message[]): Promise<readonly Message[]> {
  const { world } = play;
  const model = modelOf(play);
  const half = Math.floor(Math.min(messageTokens(messages), world.models.window(model)) / 2);
  await sumUp(play, model, half);
  return keepSystem(play, conversation(play), half);
}

const tooLong =
  /context[ _-]?(length|window|size|limit)|maximum context|too (long|large)[^.]{0,40}(context|prompt|input)|(prompt|input|request|message)s? (is|are|was)?\s*too (long|large)|too many (input )?tokens|exceeds? the (maximum|max|model|limit|available context)|reduce the length|token (count|limit)[^.]{0,40}exceed/i;

function isTooLong(error: unknown): boolean {
  if (!isRefusal(error)) return false;
  const { message, details } = error as GatewayError;
  const upstream = (details?.upstream ?? {}) as { code?: unknown; message?: unknown };
  return (
    error.status === 413 || tooLong.test(`${message} ${String(upstream.code ?? "")} ${String(upstream.message ?? "")}`)
  );
}

/** The upstream understood and said no; that it was about the key or the rate is something else. */
function isRefusal(error: unknown): error is GatewayError {
  return GatewayError.is(error) && error.code === "UPSTREAM_REQUEST";
}

async function toolRound(play: Play, reply: ModelReply): Promise<void> {
  const { run, journal, now } = play;
  const asked = assistantMessage(reply, reply.text, reply.toolCalls);
  const answers = await runTools(play, asked);
  await journal.add([asked, ...answers]);
  const { text: content, toolCalls, native } = reply;
  now.push({ role: "assistant", content, toolCalls, ...(native && { native }) }, ...answers.map(forModel));
  run.nextStep();
  play.turn.signal.throwIfAborted();
}

async function conclude(play: Play, reply: ModelReply, toolCalls: readonly ToolCall[]): Promise<TurnResult> {
  const { world, run, request, profile, journal, usage, cost, inbox } = play;
  const { session, channel } = request;
  inbox.close();
  // What a tap refuses to let out is not kept either.
  run.nextStep();
  const said = { session, agent: profile.id, text: reply.text, channel };
  const { text } = world.listens("message:out") ? await run.orAborted(world.call("message:out", said)) : said;
  const stop = toolCalls.length > 0 ? "tool_calls" : reply.stop;
  const { model, reasoning } = reply;
  const more = { ...(reasoning && { reasoning }), ...(cost !== null && { cost }) };
  const result: TurnResult = { turn: run.id, text, model, usage, stop, toolCalls, ...more };
  const cut = reply.stop === "aborted" || reply.stop === "error";
  const message = { ...assistantMessage(reply, text, toolCalls), ...(cut && { state: "partial" as const }) };
  const seq = await journal.finish(text === "" && toolCalls.length === 0 ? [] : [message], { result });
  return placed(result, seq);
}

function assistantMessage(reply: ModelReply, content: string, toolCalls: readonly ToolCall[]): NewMessage {
  const { model, usage, reasoning } = reply;
  return {
    role: "assistant",
    content,
    model,
    ...(usage && { usage }),
    ...(reasoning && { reasoning }),
    ...(toolCalls.length > 0 && { toolCalls }),
  };
}

/** Without what only the store knows. */
function forModel({ state: _, ...message }: NewMessage): Message {
  return message;
}

function spent({ world, cost }: Play, { model, usage }: ModelReply): number | null {
  const price = usage && world.price(model, usage);
  return cost === null || price === null ? null : cost + price;
}

function added(sum: Usage | null, more: Usage | null): Usage | null {
  if (!sum || !more) return more ?? sum;
  const optional = (["cachedTokens", "cacheWriteTokens", "reasoningTokens"] as const).flatMap((key) => {
    const tokens = (sum[key] ?? 0) + (more[key] ?? 0);
    return tokens > 0 ? [[key, tokens]] : [];
  });
  return {
    inputTokens: sum.inputTokens + more.inputTokens,
    outputTokens: sum.outputTokens + more.outputTokens,
    ...(Object.fromEntries(optional) as Partial<Usage>),
  };
}

function toolLimit(max: number): GatewayError {
  return new GatewayError("TOOL_LIMIT", 500, `max tool iterations exceeded (${max})`);
}

function tokenLimit({ budget }: Play): GatewayError {
  const own = Number.isFinite(budget.limit) ? ` (${budget.limit})` : "";
  return new GatewayError("TOKEN_LIMIT", 500, `max turn tokens exceeded${own}`);
}
