/** Work for subagents: a turn with a session and a profile of its own, below the one that gave it. */
import {
  type Logger,
  messageOf,
  type Spawned,
  type SpawnRequest,
  type TurnRequest,
  type TurnResult,
  type TurnRun,
} from "@chela/sdk";
import type { AgentsSettings } from "../../settings.ts";
import { middleOut } from "../context/transcript.ts";
import { type Family, type Place, refused } from "./family.ts";
import { type AgentProfile, narrowed } from "./profiles.ts";

export interface Home {
  readonly family: Family;
  readonly settings: AgentsSettings;
  /** Hand-overs that led to the parent. */
  readonly hops: number;
  /** Number of the message that asks for the work; 0: there is none. */
  readonly asked: number;
  run(request: TurnRequest, hops: number): TurnRun;
  readonly log: Pick<Logger, "warn">;
}

const maxReportChars = 20_000;

/** Throws what `Family` throws, and `SPAWN_REFUSED` where nobody could be told of the result. */
export function spawn(home: Home, request: SpawnRequest): Spawned {
  const { parent, text, model, background = false } = request;
  const profile = home.family.chosen(parent, request.agent);
  if (background) checkBackground(home, request);
  const place = home.family.enter(parent, { background, asked: home.asked });
  const session = parent.session === null ? null : `subagent:${parent.id}:${place.number}`;
  const tools = narrowed(parent.tools, request.tools);
  const run = home.run(
    {
      session,
      agent: profile.id,
      text: profile.maxTaskChars > 0 ? middleOut(text, profile.maxTaskChars) : text,
      ...(model && { model }),
      ...(tools && { tools }),
      channel: parent.channel ?? "agent",
      identity: parent.identity,
      parent,
      ...(!background && { signal: parent.signal }),
    },
    home.hops + 1,
  );
  const done = run.done.then((result) => shortened(result, profile)).finally(() => place.leave());
  done.catch(() => undefined);
  if (background) void report(home, { request, profile, place, session: session ?? "", done });
  return { agent: profile.id, session, run: { ...run, id: run.id, done } };
}

function checkBackground({ hops, settings }: Home, { parent }: SpawnRequest): void {
  if (parent.session === null) throw refused("work in the background needs a session that its result can come back to");
  if ((parent.depth ?? 0) > 0) throw refused("a subagent may not leave work in the background: wait for the result");
  const { max_hops: most } = settings.router;
  if (most > 0 && hops >= most) {
    throw refused(`${hops} hand-overs followed from one message (agents.router.max_hops): answer the user now`);
  }
}

interface Work {
  readonly request: SpawnRequest;
  readonly profile: AgentProfile;
  readonly place: Place;
  readonly session: string;
  readonly done: Promise<TurnResult>;
}

/** The result comes as something that was said, never as something that the operator says. */
async function report(home: Home, { request, profile, place, session, done }: Work): Promise<void> {
  const { parent } = request;
  const { text, failed } = await done.then(
    ({ text, stop }) => ({ text: text || "(no text)", failed: stop !== "stop" && stop !== "length" }),
    (error: unknown) => ({ text: messageOf(error), failed: true }),
  );
  if (place.home === null || profile.notify === "internal_only" || (profile.notify === "on_blocked" && !failed)) return;
  const head = `[The subagent ${profile.id} (session ${session}) has ${failed ? "stopped without success" : "finished"}]`;
  const turn = home.run(
    {
      session: place.home,
      agent: parent.agent,
      text: `${head}\n${middleOut(text, maxReportChars)}`,
      channel: parent.channel ?? "agent",
      identity: parent.identity,
      whenBusy: "steer",
      ...(parent.tools && { tools: parent.tools }),
    },
    home.hops + 1,
  );
  await turn.done.catch((error: unknown) =>
    home.log.warn({ error, session: place.home }, "the result of a subagent could not be told"),
  );
}

function shortened(result: TurnResult, { maxResultChars: most }: AgentProfile): TurnResult {
  return most > 0 && result.text.length > most ? { ...result, text: middleOut(result.text, most) } : result;
}
