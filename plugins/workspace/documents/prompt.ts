/** What prompts begin with: the documents of the workspace and the recent memory, out of the cache and within the caps. */
import type { WorkspaceDocument } from "@chela/sdk";
import { dailyNote, homeOf, longTerm, memoryOf } from "../paths.ts";
import { type Caps, capped, type Source } from "./caps.ts";
import { introduced, introduction, promptOrder } from "./names.ts";

export interface PromptParts {
  /** Undefined when nothing is there. */
  text(path: string): Promise<string | undefined>;
  /** The text is the one that this document was made with. */
  untouched(name: string, text: string): boolean;
  caps(): Caps;
  now(): Date;
}

/** A document in an agent's own folder takes the place of the common one. */
export async function promptDocuments(
  parts: PromptParts,
  agent: string | undefined,
): Promise<readonly WorkspaceDocument[]> {
  const home = homeOf(agent);
  const found = await Promise.all(promptOrder.map((name) => own(parts, home, name)));
  const sources = found.filter((source) => source !== undefined);
  if (home === "" && (await isStranger(parts))) {
    const first = await own(parts, "", introduction);
    if (first) sources.push(first);
  }
  return capped(sources, parts.caps());
}

/** MEMORY.md, today's note, yesterday's. */
export async function recentMemory(
  parts: PromptParts,
  agent: string | undefined,
): Promise<readonly WorkspaceDocument[]> {
  const folder = memoryOf(agent);
  const now = parts.now();
  const wanted = [
    { path: `${folder}/${longTerm}`, tail: false },
    { path: `${folder}/${dailyNote(now)}`, tail: true },
    { path: `${folder}/${dailyNote(now, 1)}`, tail: true },
  ];
  const [kept, today, yesterday] = await Promise.all(wanted.map((one) => source(parts, one.path, one.tail)));
  const lasting = kept ?? (await own(parts, homeOf(agent), longTerm, false));
  // What comes last is cut first: yesterday.
  return capped(
    [lasting, today, yesterday].filter((one) => one !== undefined),
    parts.caps(),
  );
}

async function own(parts: PromptParts, home: string, name: string, shared = true): Promise<Source | undefined> {
  const mine = home === "" ? undefined : await source(parts, `${home}/${name}`);
  return mine ?? (home === "" || shared ? await source(parts, name) : undefined);
}

async function source(parts: PromptParts, path: string, tail = false): Promise<Source | undefined> {
  const content = (await parts.text(path))?.replace(/^\uFEFF/, "").trim();
  return content ? { path, content, tail } : undefined;
}

/** Nobody has said yet who the agent is, or whom it helps. */
async function isStranger(parts: PromptParts): Promise<boolean> {
  const texts = await Promise.all(introduced.map(async (name) => [name, await parts.text(name)] as const));
  return texts.some(([name, text]) => !text?.trim() || parts.untouched(name, text));
}
