/**
 * Programs in the background, each of one session: nobody else sees or touches it. What they say goes into a bounded ring;
 * all of them end with this plugin, those of a session with it, and of the ones that ended the last are kept.
 */
import { type Child, GatewayError } from "@chela/sdk";
import { Ring } from "./ring.ts";

export interface Started {
  readonly id: string;
  owner: string;
  /** As it was asked for. */
  readonly line: string;
  readonly child: Child;
  readonly output: Ring;
  readonly startedAt: number;
  ended: { readonly code: number | null; readonly signal: string | null; readonly at: number } | undefined;
  /** Where the last reader stopped. */
  readTo: number;
}

const ringBytes = 256 * 1024;
const maxEverywhere = 64;
const keptEnded = 16;
const keptEndedEverywhere = 64;

/** Whose programs they are: a session's, or without one an identity's. As a pair, so that no session's name can be one. */
export function ownerOf(session: string | null, identity: string): string {
  return JSON.stringify([session, session === null ? identity : ""]);
}

export class Processes {
  readonly #all = new Map<string, Started>();
  /** Programs that are being started; one that is taken out meanwhile is not wanted any more. */
  readonly #starting = new Set<{ owner: string }>();
  #count = 0;

  /** Ends everything. */
  async stopAll(): Promise<void> {
    this.#starting.clear();
    await Promise.all(this.#running().map(({ child }) => child.stop()));
  }

  /** The session is gone: so is what ran in it, and what that said. */
  async end(session: string): Promise<void> {
    const owner = ownerOf(session, "");
    for (const coming of this.#starting) if (coming.owner === owner) this.#starting.delete(coming);
    const own = this.list(owner);
    for (const { id } of own) this.#all.delete(id);
    await Promise.all(own.filter(({ ended }) => !ended).map(({ child }) => child.stop()));
  }

  /** The session goes on under another name. */
  rename(session: string, to: string): void {
    const owner = ownerOf(session, "");
    const own = [...this.#starting, ...this.#all.values()].filter((one) => one.owner === owner);
    for (const one of own) one.owner = ownerOf(to, "");
  }

  list(owner: string): readonly Started[] {
    return [...this.#all.values()].filter((one) => one.owner === owner);
  }

  find(owner: string, id: string): Started {
    const found = this.#all.get(id);
    if (found?.owner === owner) return found;
    const message = `there is no process ${JSON.stringify(id.slice(0, 64))} in this session; the action list names them`;
    throw new GatewayError("PROCESS_UNKNOWN", 404, message);
  }

  /** Starts one, if there is room for it. Throws `PROCESS_LIMIT` before anything is started. */
  async start(owner: string, line: string, max: number, start: () => Promise<Child>): Promise<Started> {
    const all = [...this.#running(), ...this.#starting];
    const here = all.filter((one) => one.owner === owner).length;
    if (here >= max || all.length >= maxEverywhere) {
      const message = `${here} processes run in this session already; stop one first`;
      throw new GatewayError("PROCESS_LIMIT", 429, message);
    }
    const coming = { owner };
    this.#starting.add(coming);
    try {
      const child = await start();
      if (this.#starting.has(coming)) return this.#add(coming.owner, line, child);
      await child.stop();
      throw new GatewayError("TOOL_ABORTED", 499, "it was stopped before it had begun");
    } finally {
      this.#starting.delete(coming);
    }
  }

  #running(): readonly Started[] {
    return [...this.#all.values()].filter(({ ended }) => !ended);
  }

  #add(owner: string, line: string, child: Child): Started {
    this.#count += 1;
    const output = new Ring(ringBytes);
    const started: Started = {
      id: `p${this.#count}`,
      owner,
      line,
      child,
      output,
      startedAt: Date.now(),
      ended: undefined,
      readTo: 0,
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (part: Buffer) => output.push(part));
      stream.on("error", () => undefined);
    }
    child.stdin.on("error", () => undefined);
    void child.exit.then((end) => {
      started.ended = { ...end, at: Date.now() };
      this.#forgetOld(started.owner);
    });
    this.#all.set(started.id, started);
    return started;
  }

  /** Of the programs that ended, the last ones stay to be read. */
  #forgetOld(owner: string): void {
    const ended = [...this.#all.values()].filter((one) => one.ended);
    const own = ended.filter((one) => one.owner === owner);
    const old = [...own.slice(0, -keptEnded), ...ended.slice(0, -keptEndedEverywhere)];
    for (const { id } of old) this.#all.delete(id);
  }
}
