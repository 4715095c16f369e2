/**
 * Programs in the background, each of one session: nobody else sees or touches it. What they say goes into a bounded ring;
 * all of them end with this plugin, and the ones that ended are forgotten after a while.
 */
import { type Child, GatewayError } from "@chela/sdk";
import { Ring } from "./ring.ts";

export interface Started {
  readonly id: string;
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

export class Processes {
  readonly #bySession = new Map<string, Map<string, Started>>();
  /** Sessions of programs that are being started. */
  readonly #starting: string[] = [];
  #count = 0;

  /** Ends everything. */
  async stopAll(): Promise<void> {
    const all = [...this.#bySession.values()].flatMap((own) => [...own.values()]);
    await Promise.all(all.filter(({ ended }) => !ended).map(({ child }) => child.stop()));
  }

  list(session: string): readonly Started[] {
    return [...(this.#bySession.get(session)?.values() ?? [])];
  }

  find(session: string, id: string): Started {
    const found = this.#bySession.get(session)?.get(id);
    if (found) return found;
    const message = `there is no process ${JSON.stringify(id.slice(0, 64))} in this session; the action list names them`;
    throw new GatewayError("PROCESS_UNKNOWN", 404, message);
  }

  /** Starts one, if there is room for it. Throws `PROCESS_LIMIT` before anything is started. */
  async start(session: string, line: string, max: number, start: () => Promise<Child>): Promise<Started> {
    const running = [...this.#bySession.values()].flatMap((own) => [...own.values()]).filter(({ ended }) => !ended);
    const here = this.list(session).filter(({ ended }) => !ended).length;
    const coming = this.#starting.filter((other) => other === session).length;
    if (here + coming >= max || running.length + this.#starting.length >= maxEverywhere) {
      const message = `${here + coming} processes run in this session already; stop one first`;
      throw new GatewayError("PROCESS_LIMIT", 429, message);
    }
    this.#starting.push(session);
    try {
      return this.#add(session, line, await start());
    } finally {
      this.#starting.splice(this.#starting.indexOf(session), 1);
    }
  }

  #add(session: string, line: string, child: Child): Started {
    this.#count += 1;
    const output = new Ring(ringBytes);
    const started: Started = {
      id: `p${this.#count}`,
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
      this.#forgetOld(session);
    });
    const own = this.#bySession.get(session) ?? new Map<string, Started>();
    this.#bySession.set(session, own.set(started.id, started));
    return started;
  }

  #forgetOld(session: string): void {
    const own = this.#bySession.get(session);
    const ended = [...(own?.values() ?? [])].filter((one) => one.ended);
    for (const { id } of ended.slice(0, Math.max(0, ended.length - keptEnded))) own?.delete(id);
    // Sessions come and go; what only holds ended programs is dropped when there are many.
    if (this.#bySession.size <= 256) return;
    for (const [key, those] of this.#bySession) {
      if ([...those.values()].every((one) => one.ended)) this.#bySession.delete(key);
      if (this.#bySession.size <= 256) return;
    }
  }
}
