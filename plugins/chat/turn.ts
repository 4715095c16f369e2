/**
 * One turn, from the user's message to the final reply: hooks, history, model calls, tool rounds, and what is written down
 * of it. The user's message is durable before the model is asked; whatever a cut turn had said is kept and marked.
 */
import {
  allows,
  GatewayError,
  type InboundMessage,
  type Message,
  type ModelReply,
  type ModelRequest,
  type NewMessage,
  type ToolCall,
  type ToolSpec,
  type Turn,
  type TurnRequest,
  type TurnResult,
  type Usage,
} from "@chela/sdk";
import { coherent, newest, userMessage } from "./conversation.ts";
import type { Journal } from "./journal.ts";
import { type LiveRun, orAborted } from "./live-run.ts";
import { callModel } from "./model-call.ts";
import { type AgentProfile, agentProfile, mainAgent } from "./settings.ts";
import { runTools } from "./tool-round.ts";
import type { World } from "./world.ts";

interface Play {
  readonly world: World;
  readonly run: LiveRun;
  readonly request: TurnRequest;
  readonly journal: Journal;
  readonly turn: Turn;
  readonly profile: AgentProfile;
  readonly clientTools: ReadonlySet<string>;
  /** Grows by each tool round. */
  readonly messages: Message[];
  usage: Usage | null;
}

/** Resolves also when the turn was aborted; rejects with a GatewayError when it failed. */
export async function playTurn(
  world: World,
  run: LiveRun,
  request: TurnRequest,
  journal: Journal,
): Promise<TurnResult> {
  const from = performance.now();
  let agent = request.agent ?? mainAgent;
  try {
    const play = await prepare({ world, run, request, journal });
    agent = play.turn.agent;
    const result = await converse(play).catch((error) => cutShort(play, error));
    const { model, usage, stop } = result;
    world.ended({ id: run.id, session: run.session, agent, model, usage, stop, ms: performance.now() - from });
    return result;
  } catch (thrown) {
    const error = turnFault(run.failure ?? thrown);
    if (error.cause !== undefined && error.code === "TURN_FAILED")
      world.log.error({ error: thrown, turn: run.id }, "a turn failed");
    const { code, message } = error;
    const ms = performance.now() - from;
    world.ended({
      id: run.id,
      session: run.session,
      agent,
      model: run.model ?? "",
      usage: null,
      stop: run.withdrawn ? "aborted" : "error",
      ms,
      error: { code, message },
    });
    throw error;
  }
}

/** Everything up to the point where the model may be asked. */
async function prepare(given: Pick<Play, "world" | "run" | "request" | "journal">): Promise<Play> {
  const { world, run, request, journal } = given;
  const { session, agent = "", text, media = [], identity, channel } = request;
  const said = world.call("message:in", { session, agent, text, media, identity, channel });
  const inbound = await orAborted(said, run.signal);
  const profile = agentProfile(world.settings(), await orAborted(pickAgent(world, inbound), run.signal));
  const user = userMessage(inbound.text, inbound.media);
  const earlier = request.context ?? (await earlierMessages(world, session));
  run.signal.throwIfAborted();
  const stored = await journal.begin(user);
  run.begin();
  const prompts = [profile.systemPrompt, request.instructions ?? ""].filter((prompt) => prompt.trim() !== "");
  const messages: Message[] = prompts.map((content) => ({ role: "system", content }));
  messages.push(...coherent(stored ? untilCut(earlier) : earlier));
  if (user && !(stored && !request.context)) messages.push(user);
  const turn: Turn = { id: run.id, session, agent: profile.id, identity, signal: run.signal };
  const clientTools = new Set(request.clientTools?.map(({ name }) => name));
  return { world, run, request, journal, turn, profile, clientTools, messages, usage: null };
}

/** A run of the same request had been cut: what it said is not the beginning of what will be said. */
function untilCut(earlier: readonly Message[]): readonly Message[] {
  const last = earlier.at(-1);
  return last?.role === "assistant" && !last.toolCalls?.length ? earlier.slice(0, -1) : earlier;
}

async function pickAgent(world: World, inbound: InboundMessage): Promise<string> {
  return inbound.agent || (await world.call("agent:pick", inbound)) || mainAgent;
}

async function earlierMessages(world: World, session: string | null): Promise<readonly Message[]> {
  if (session === null) return [];
  const { context_messages, context_chars } = world.settings().defaults;
  return newest(await world.sessions.context(session, context_messages), context_chars);
}

async function converse(play: Play): Promise<TurnResult> {
  const { world, run, turn } = play;
  const { max_tool_iterations: max } = world.settings().defaults;
  for (let step = 1; step <= max; step++) {
    const reply = await callModel(world, run, turn, modelRequest(play, step === 1));
    play.usage = added(play.usage, reply.usage);
    const theirs = reply.toolCalls.filter(({ name }) => play.clientTools.has(name));
    if (reply.toolCalls.length === 0 || theirs.length > 0) return conclude(play, reply, theirs);
    await toolRound(play, reply);
  }
  run.nextStep();
  throw new GatewayError("TOOL_LIMIT", 500, `max tool iterations exceeded (${max})`);
}

async function toolRound(play: Play, reply: ModelReply): Promise<void> {
  const { world, run, turn, journal, messages } = play;
  const answers = await runTools(world, run, turn, reply.toolCalls);
  const asked = assistantMessage(reply, reply.text, reply.toolCalls);
  await journal.add([asked, ...answers]);
  messages.push({ role: "assistant", content: reply.text, toolCalls: reply.toolCalls }, ...answers);
  run.nextStep();
  turn.signal.throwIfAborted();
}

async function conclude(play: Play, reply: ModelReply, toolCalls: readonly ToolCall[]): Promise<TurnResult> {
  const { world, run, request, profile, journal, usage } = play;
  const { session, channel } = request;
  // What a tap refuses to let out is not kept either.
  run.nextStep();
  const said = world.call("message:out", { session, agent: profile.id, text: reply.text, channel });
  const { text } = await orAborted(said, run.signal);
  const stop = toolCalls.length > 0 ? "tool_calls" : reply.stop;
  const result: TurnResult = { turn: run.id, text, model: reply.model, usage, stop, toolCalls };
  const cut = reply.stop === "aborted" || reply.stop === "error";
  const message = { ...assistantMessage(reply, text, toolCalls), ...(cut && { state: "partial" as const }) };
  await journal.finish(text === "" && toolCalls.length === 0 ? [] : [message], { result });
  return result;
}

/** The turn was aborted (then this is its result) or failed (then this throws). What it had said is stored either way. */
async function cutShort(play: Play, thrown: unknown): Promise<TurnResult> {
  const { world, run, journal, usage } = play;
  const text = run.partial;
  const model = run.model ?? "";
  const kept: NewMessage[] = text === "" ? [] : [{ role: "assistant", content: text, state: "partial", model }];
  if (run.signal.aborted && !run.failure) {
    const result: TurnResult = { turn: run.id, text, model, usage, stop: "aborted", toolCalls: [] };
    await journal.finish(kept, run.interrupted ? undefined : { result });
    return result;
  }
  const { code, status, message } = turnFault(run.failure ?? thrown);
  await journal.finish(kept, { error: { code, status, message } }).catch((error: unknown) => {
    world.log.error({ error, turn: run.id }, "the end of a failed turn could not be stored");
  });
  throw thrown;
}

/** A forced tool choice is for the first call of a turn: kept up, no turn with tools of ours would ever end. */
function modelRequest(play: Play, first: boolean): ModelRequest {
  const { world, request, profile, messages } = play;
  const { defaults } = world.settings();
  const { options = {} } = request;
  const { toolChoice } = options;
  const tools = toolSpecs(play);
  const maxTokens = options.maxTokens ?? defaults.max_tokens;
  const temperature = options.temperature ?? defaults.temperature;
  return {
    model: request.model || profile.model || world.providers.primary(),
    // A model asked for by name is not silently replaced by another one.
    fallbacks: request.model ? [] : (defaults.model.fallbacks ?? world.providers.fallbacks()),
    messages: [...messages],
    ...(tools.length > 0 && { tools }),
    ...(toolChoice !== undefined && (first || !isForced(toolChoice)) && { toolChoice }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(options.extra && { extra: options.extra }),
  };
}

function isForced(choice: ModelRequest["toolChoice"]): boolean {
  return choice === "required" || typeof choice === "object";
}

/** The client's tools, and those of ours that this identity may use. */
function toolSpecs({ world, request, clientTools }: Play): ToolSpec[] {
  const ours = world.tools
    .list()
    .filter(({ name, access }) => !clientTools.has(name) && allows(request.identity, access));
  return [...(request.clientTools ?? []), ...ours.map(({ name, about, input }) => ({ name, about, input }))];
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

function added(sum: Usage | null, more: Usage | null): Usage | null {
  if (!sum || !more) return more ?? sum;
  const cached = (sum.cachedTokens ?? 0) + (more.cachedTokens ?? 0);
  return {
    inputTokens: sum.inputTokens + more.inputTokens,
    outputTokens: sum.outputTokens + more.outputTokens,
    ...(cached > 0 && { cachedTokens: cached }),
  };
}

/** Faults of plugins keep their inner text for the log. */
function turnFault(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error;
  return new GatewayError("TURN_FAILED", 500, "the turn failed; the log has the reason", undefined, { cause: error });
}
