/** Everything up to the point where the model may be asked: hooks, the choice of the agent, the message stored, the conversation so far. */
import type { InboundMessage, Message, Turn, TurnRequest } from "@chela/sdk";
import { kindOf } from "../sessions/session-key.ts";
import type { SequencedMessage } from "../sessions/tables.ts";
import type { Earlier } from "./context/compactor.ts";
import { coherent, newest, userMessage } from "./conversation.ts";
import { LoopGuard } from "./guards.ts";
import type { Begun, Journal } from "./journal.ts";
import type { LiveRun } from "./live-run.ts";
import type { Play, TurnParts } from "./play.ts";
import type { Said } from "./steering.ts";
import { type AgentProfile, agentProfile, mainAgent, narrowed } from "./team/profiles.ts";
import type { World } from "./world.ts";

interface Told {
  readonly user: Message | undefined;
  readonly profile: AgentProfile;
  readonly begun: Begun;
  readonly earlier: Earlier;
}

export async function prepare(parts: TurnParts): Promise<Play> {
  const { world, run, request, journal, inbox, budget, compactor, said } = parts;
  const told = said ? await again(parts, said) : await hear(parts);
  const { user, profile, begun, earlier } = told;
  run.begin(begun.seq);
  world.started(run.id, request.session);
  const turn = turnOf(run, request, profile);
  inbox.open(request.identity, profile.id);
  const wanted = { profile, kind: request.session === null ? "" : kindOf(request.session), depth: turn.depth ?? 0 };
  const prompts = [await world.prompts.text(wanted), request.instructions ?? ""];
  const rest = withoutCopies(earlier.messages, begun, said !== undefined);
  const inPlace = begun.stored && !begun.passed && !request.context;
  const from = inPlace ? rest.findIndex(({ seq }) => seq === begun.seq) : -1;
  // No spread: this is made for every turn, and V8 copies slowly.
  return {
    world,
    run,
    request,
    journal,
    inbox,
    budget,
    compactor,
    said,
    profile,
    turn,
    clientTools: new Set(request.clientTools?.map(({ name }) => name)),
    guard: new LoopGuard(),
    system: prompts.filter((text) => text.trim() !== "").map((content) => ({ role: "system", content })),
    userSeq: begun.seq,
    summary: earlier.summary,
    earlier: coherent(from < 0 ? rest : rest.slice(0, from)),
    now: from < 0 ? (user ? [user] : []) : coherent(untilCut(rest.slice(from))),
    usage: null,
    cost: 0,
  };
}

/** What is said passes the hooks and is stored; before that, what was said earlier is read. */
async function hear(parts: TurnParts): Promise<Told> {
  const { world, run, request, journal } = parts;
  const inbound = await inboundOf(world, run, request);
  const profile = agentProfile(world.settings(), await pickAgent(world, run, inbound));
  const user = userMessage(inbound.text, inbound.media);
  const earlier = await earlierOf(parts);
  run.signal.throwIfAborted();
  return { user, profile, begun: await journal.begin(user), earlier };
}

/** A message that was to be heard in another turn: it is stored, others may have spoken since. */
async function again(parts: TurnParts, { user, agent, seq }: Said): Promise<Told> {
  const profile = agentProfile(parts.world.settings(), agent);
  const earlier = await earlierOf(parts);
  parts.run.signal.throwIfAborted();
  return { user, profile, begun: { stored: true, seq, passed: true }, earlier };
}

/** Stores the message of a turn that may be heard in another one. */
export async function sayAhead(world: World, run: LiveRun, request: TurnRequest, journal: Journal): Promise<Said> {
  const inbound = await inboundOf(world, run, request);
  const agent = await pickAgent(world, run, inbound);
  agentProfile(world.settings(), agent);
  const user = userMessage(inbound.text, inbound.media);
  run.signal.throwIfAborted();
  const { seq } = await journal.begin(user);
  run.begin(seq);
  return { text: inbound.text, user, agent, seq };
}

async function inboundOf(world: World, run: LiveRun, request: TurnRequest): Promise<InboundMessage> {
  const { session, agent = "", text, media = [], identity, channel } = request;
  const said: InboundMessage = { session, agent, text, media, identity, channel };
  return world.listens("message:in") ? run.orAborted(world.call("message:in", said)) : said;
}

async function pickAgent(world: World, run: LiveRun, inbound: InboundMessage): Promise<string> {
  if (inbound.agent) return inbound.agent;
  const picked = world.listens("agent:pick") && (await run.orAborted(world.call("agent:pick", inbound)));
  return picked || (await world.router.pick(inbound)) || mainAgent;
}

async function earlierOf({ world, request, compactor }: TurnParts): Promise<Earlier> {
  const { session, context } = request;
  if (context) return { summary: undefined, messages: context as readonly SequencedMessage[] };
  if (session === null) return { summary: undefined, messages: [] };
  const { context_messages, context_chars } = world.settings().defaults;
  const { summary, messages } = await compactor.earlier(session, context_messages);
  return { summary, messages: newest(messages, context_chars) };
}

/** The message itself is told last; what was said to other turns after it is theirs. */
function withoutCopies(
  messages: readonly SequencedMessage[],
  { stored, seq, passed }: Begun,
  ahead: boolean,
): readonly SequencedMessage[] {
  if (!stored || !passed) return messages;
  const unheard = ahead ? trailingUsers(messages, seq) : new Set([seq]);
  return messages.filter((message) => !unheard.has(message.seq));
}

/** Its own number, and those of messages after the last reply that wait for turns of their own, as it did. */
function trailingUsers(messages: readonly SequencedMessage[], own: number): ReadonlySet<number> {
  const later = messages.filter(({ seq, role }) => seq > own && role === "user").map(({ seq }) => seq);
  return new Set([own, ...later]);
}

/** A run of the same request had been cut: what it said is not the beginning of what will be said. */
function untilCut(earlier: readonly Message[]): readonly Message[] {
  const last = earlier.at(-1);
  return last?.role === "assistant" && !last.toolCalls?.length ? earlier.slice(0, -1) : earlier;
}

function turnOf(run: LiveRun, request: TurnRequest, profile: AgentProfile): Turn {
  const { session, identity, channel, parent } = request;
  const tools = narrowed(profile.tools, request.tools, parent?.tools);
  const turn: Turn = { id: run.id, session, agent: profile.id, identity, signal: run.signal, channel };
  if (!tools && !parent) return turn;
  return {
    ...turn,
    ...(tools && { tools }),
    ...(parent && { depth: (parent.depth ?? 0) + 1, root: parent.root ?? parent.session }),
  };
}
