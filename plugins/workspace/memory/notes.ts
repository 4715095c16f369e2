/** The memory: Markdown files in `memory/`, and in `agents/<name>/memory/` for agents with a memory of their own. */
import { posix } from "node:path";
import { GatewayError } from "@chela/sdk";
import { cleanPath, dailyNote, homeOf, longTerm, memoryFolder, memoryOf } from "../paths.ts";
import { type Condition, type TextFile, type Tree, textOf } from "../tree.ts";
import { walk } from "../walk.ts";

export interface NoteFacts {
  /** Below the workspace. */
  readonly path: string;
  readonly size: number;
  readonly modifiedAt: number;
}

export interface Listing {
  readonly files: readonly NoteFacts[];
  /** There are more. */
  readonly truncated: boolean;
}

const mostListed = 2_000;
const mostNotes = 5_000;
const deepest = 4;
/** Files that are asked for their size and time together. */
const atOnce = 32;
/** One thing to remember. */
const mostRemembered = 100_000;

export class Notes {
  readonly #tree: Tree;
  readonly #now: () => Date;

  constructor(tree: Tree, now: () => Date) {
    this.#tree = tree;
    this.#now = now;
  }

  /** A path below the workspace for one below the memory; as searching and remembering tell it is right, too. */
  path(sent: string, agent?: string): string {
    const home = homeOf(agent);
    const inHome = without(cleanPath(sent), home === "" ? "" : `${home}/`);
    return posix.join(memoryOf(agent), without(inHome, `${memoryFolder}/`));
  }

  /** `MEMORY.md` may lie beside the folder instead of in it. */
  async read(path: string, agent?: string): Promise<TextFile | undefined> {
    const file = await this.#tree.read(path);
    if (file || path !== posix.join(memoryOf(agent), longTerm)) return file;
    return this.#tree.read(posix.join(homeOf(agent), longTerm));
  }

  /** The version that a condition means is the one that `read` shows. */
  async replace(path: string, bytes: Buffer, condition: Condition, agent?: string): Promise<TextFile> {
    if (condition.hash !== undefined && !(await this.#tree.facts(path))) {
      const beside = await this.read(path, agent);
      if (beside?.hash === condition.hash) return this.#tree.write(path, bytes, { there: false });
    }
    return this.#tree.write(path, bytes, condition);
  }

  /** Adds to the end, on lines of its own. Without a path: to the note of today, under the time. */
  async remember(text: string, sent: string | undefined, agent?: string): Promise<string> {
    const clean = text.replace(/\r\n?/g, "\n").trim();
    if (clean === "") throw new GatewayError("INVALID", 400, "there is nothing to remember: the text is empty");
    if (clean.length > mostRemembered) {
      const message = `a note has at most ${mostRemembered} characters; write a file for more`;
      throw new GatewayError("FILE_TOO_LARGE", 413, message);
    }
    const now = this.#now();
    const daily = sent === undefined;
    const path = this.path(daily ? dailyNote(now) : sent, agent);
    const entry = daily ? `## ${clock(now)}\n\n${clean}\n` : `${clean}\n`;
    // The one in the root is read as long as there is none here, so it goes on from there.
    const earlier = daily || (await this.#tree.facts(path)) ? undefined : await this.read(path, agent);
    await this.#tree.update(path, (before) => {
      const kept = before ?? earlier?.bytes ?? Buffer.from(daily ? `# ${posix.basename(path, ".md")}\n` : "");
      const { text: told, binary } = textOf(kept);
      if (binary) throw new GatewayError("FILE_BINARY", 400, `${path} is no UTF-8 text; nothing can be added to it`);
      return told === "" ? entry : `${withoutLineEnds(told)}${daily ? "\n\n" : "\n"}${entry}`;
    });
    return path;
  }

  /** Files directly in the memory folder, by name. */
  async list(agent?: string): Promise<Listing> {
    const folder = memoryOf(agent);
    const names: string[] = [];
    const truncated = await walk(this.#tree, folder, { depth: 1, most: mostListed, take: (path) => names.push(path) });
    const files = (await Promise.all(names.sort().map((path) => this.facts(path)))).filter((one) => one !== undefined);
    return { files, truncated };
  }

  /** Every Markdown file of a memory, `MEMORY.md` beside it included. */
  async all(agent?: string): Promise<readonly NoteFacts[]> {
    const paths: string[] = [];
    const take = (path: string) => void (path.endsWith(".md") && paths.push(path));
    await walk(this.#tree, memoryOf(agent), { depth: deepest, most: mostNotes, take });
    paths.push(posix.join(homeOf(agent), longTerm));
    return this.factsOf(paths);
  }

  /** Of those that are there. */
  async factsOf(paths: readonly string[]): Promise<readonly NoteFacts[]> {
    const facts: NoteFacts[] = [];
    for (let at = 0; at < paths.length; at += atOnce) {
      const some = await Promise.all(paths.slice(at, at + atOnce).map((path) => this.facts(path)));
      facts.push(...some.filter((one) => one !== undefined));
    }
    return facts;
  }

  /** A link that leads out of the workspace is passed over, as is whatever is no file. */
  async facts(path: string): Promise<NoteFacts | undefined> {
    const facts = await this.#tree.facts(path).catch(() => undefined);
    return facts && { path, size: facts.size, modifiedAt: facts.modifiedAt };
  }
}

function without(path: string, prefix: string): string {
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}

function withoutLineEnds(text: string): string {
  let end = text.length;
  while (text[end - 1] === "\n") end -= 1;
  return text.slice(0, end);
}

function clock(now: Date): string {
  return `${String(now.getHours()).padStart(2, "0")}:${String(now.getMinutes()).padStart(2, "0")}`;
}
