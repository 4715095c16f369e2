/** What one model call of a turn asks for: the conversation as far as it fits, the tools that may be called, the options. */
import type { Message, ModelRequest, ToolSpec } from "@chela/sdk";
import { summaryMessage } from "./context/compactor.ts";
import { fitted, shortened } from "./context/fit.ts";
import { charsOf, messageTokens } from "./context/tokens.ts";
import { coherent } from "./conversation.ts";
import { type Play, storedSession } from "./play.ts";
import { namesFiles, withImages } from "./prompt/images.ts";

/** How a call differs from the others of its turn. */
export interface CallMode {
  /** The first of the turn. */
  readonly first: boolean;
  /** The last: an answer is wanted, without tools. Why. */
  readonly final: string | undefined;
}

export function modelOf({ world, request, profile }: Pick<Play, "world" | "request" | "profile">): string {
  const model = request.model || profile.model || world.providers.primary();
  if (model.includes("/")) return model;
  // A provider alone stands for the first of its models.
  return world.providers.models().find(({ provider }) => provider === model)?.id ?? model;
}

/** A model asked for by name is not silently replaced by another one. */
export function fallbacksOf({ world, request }: Pick<Play, "world" | "request">): readonly string[] {
  return request.model ? [] : (world.settings().defaults.model.fallbacks ?? world.providers.fallbacks());
}

/** A forced tool choice is for the first call of a turn: kept up, no turn with tools of ours would ever end. */
export async function modelRequest(play: Play, mode: CallMode): Promise<ModelRequest> {
  const { request, profile, world } = play;
  const { defaults } = world.settings();
  const { options = {} } = request;
  const model = modelOf(play);
  const tools = toolSpecs(play);
  const maxTokens = options.maxTokens ?? defaults.max_tokens;
  const temperature = options.temperature ?? profile.temperature ?? defaults.temperature;
  const messages = withNote(conversation(play), mode.final);
  const fits = await squeezed(play, messages, { model, tools });
  const toolChoice = mode.final ? (tools.length > 0 ? "none" : undefined) : choiceOf(options.toolChoice, mode.first);
  return {
    model,
    fallbacks: fallbacksOf(play),
    messages: await illustrated(play, fits, model),
    ...(tools.length > 0 && { tools }),
    ...(toolChoice !== undefined && { toolChoice }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(options.extra && { extra: options.extra }),
  };
}

function choiceOf(choice: ModelRequest["toolChoice"], first: boolean): ModelRequest["toolChoice"] {
  const forced = choice === "required" || typeof choice === "object";
  return first || !forced ? choice : undefined;
}

export function conversation({ system, summary, earlier, now }: Play): Message[] {
  return [...system, ...(summary ? [summaryMessage(summary)] : []), ...earlier, ...now];
}

/** Below the last result of a tool: there every wire has a place for it. */
function withNote(messages: Message[], why: string | undefined): Message[] {
  const last = messages.at(-1);
  if (why === undefined || last?.role !== "tool") return messages;
  const note = `\n\n[gateway: ${why} Answer now with what you have, without calling tools, and say what is still open.]`;
  const { content } = last;
  const noted = typeof content === "string" ? `${content}${note}` : [...content, { type: "text" as const, text: note }];
  return [...messages.slice(0, -1), { ...last, content: noted }];
}

/** When the window is filling up, what is older is summed up, once in a turn; if that does not do, it is left out. */
async function squeezed(
  play: Play,
  messages: readonly Message[],
  { model, tools }: { model: string; tools: readonly ToolSpec[] },
): Promise<readonly Message[]> {
  const { pressure_threshold: pressure } = play.world.settings().defaults.context_compaction;
  let chars = 0;
  for (const message of messages) chars += charsOf(message);
  // No window is smaller than that, and no text has more tokens than characters.
  if (chars <= 2_000) return messages;
  const room = Math.floor(play.world.models.window(model) * pressure);
  if (chars <= room / 4) return messages;
  const taken = toolTokens(tools);
  if (messageTokens(messages) + taken <= room) return messages;
  const shorter = (await sumUp(play, model)) ? conversation(play) : messages;
  return messageTokens(shorter) + taken <= room ? shorter : keepSystem(play, shorter, Math.max(1_000, room - taken));
}

/** Sums up what can be, so that the whole takes `wanted` tokens; false: nothing has changed. */
export async function sumUp(play: Play, model: string, wanted?: number): Promise<boolean> {
  const { world, compactor, turn } = play;
  const session = storedSession(play);
  if (session === undefined || play.userSeq === 0 || !compactor.enabled || play.earlier.length === 0) return false;
  const { target_ratio: ratio, protect_last_n: keep } = world.settings().defaults.context_compaction;
  const tokens = wanted ?? Math.floor(world.models.window(model) * ratio);
  const others = messageTokens(play.system) + messageTokens(play.now);
  const extent = { before: play.userSeq, keep: Math.min(keep, play.earlier.length - 1), tokens: tokens - others };
  await compactor.compact(session, extent, { turn, model, fallbacks: fallbacksOf(play) });
  return refreshed(play, session);
}

/** Another turn's summary does as well. */
async function refreshed(play: Play, session: string): Promise<boolean> {
  const summary = await play.world.summaries.find(session);
  if (!summary || summary.upto <= (play.summary?.upto ?? 0)) return false;
  const { context_messages: limit } = play.world.settings().defaults;
  const rows = await play.world.sessions.context(session, limit + play.now.length, summary.upto);
  play.summary = summary;
  play.earlier = coherent(rows.filter(({ seq }) => seq < play.userSeq));
  return true;
}

/** The prompts stay, whatever they take, and so does the question, shortened where it must be. */
export function keepSystem(play: Play, messages: readonly Message[], tokens: number): readonly Message[] {
  const from = messages.findIndex(({ role }) => role !== "system");
  if (from < 0) return messages;
  const system = messages.slice(0, from);
  const room = Math.max(500, tokens - messageTokens(system));
  const question = play.now[0] && shortened(play.now[0], Math.floor(room / 3));
  const rest = fitted(messages.slice(from), room - (question ? messageTokens([question]) : 0));
  const has = question === undefined || rest.some((message) => message.role === "user" && sameStart(message, question));
  return has ? [...system, ...rest] : [...system, question, ...rest];
}

/** Shortened or not. */
function sameStart(a: Message, b: Message): boolean {
  const start = ({ content }: Message) => (typeof content === "string" ? content.slice(0, 100) : content);
  return start(a) === start(b);
}

async function illustrated(play: Play, messages: readonly Message[], model: string): Promise<readonly Message[]> {
  if (!namesFiles(messages)) return messages;
  const workspace = play.world.workspace();
  if (!workspace || !play.world.models.seesImages(model)) return messages;
  return withImages(messages, workspace);
}

/** The client's tools, and those of ours that everybody who has a say may use. */
function toolSpecs({ world, request, clientTools, turn }: Play): readonly ToolSpec[] {
  const ours = world.toolSpecs.of(world.tools.list(), turn.identity, turn.tools);
  if (!request.clientTools?.length) return ours;
  return [...request.clientTools, ...ours.filter(({ name }) => !clientTools.has(name))];
}

function toolTokens(tools: readonly ToolSpec[]): number {
  let chars = 0;
  for (const { name, about, input } of tools) chars += name.length + about.length + JSON.stringify(input).length;
  return Math.ceil(chars / 4);
}
