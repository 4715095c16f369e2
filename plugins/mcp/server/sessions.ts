/** The sessions of MCP clients: each belongs to the identity that began it, they are bounded in number and end when they are not used. */
import type { Identity } from "@chela/sdk";
import type { Session } from "./door.ts";
import type { Notice } from "./offered.ts";

const maxSessions = 200;
const maxSessionsEach = 50;
const idleMs = 30 * 60_000;

export interface Held {
  readonly session: Session<Identity>;
  readonly owner: string;
  /** Called at its end. */
  readonly ended: () => void;
  usedAt: number;
  /** Requests that run, an open stream of messages among them. */
  busy: number;
}

export class Sessions {
  readonly #held = new Map<string, Held>();

  /** Where there is no room, another one gives way. */
  add(id: string, begun: Pick<Held, "session" | "owner" | "ended">): void {
    const surplus = this.#surplus(begun.owner);
    this.#held.set(id, { ...begun, usedAt: Date.now(), busy: 0 });
    if (surplus !== undefined) void this.end(surplus);
  }

  /** Undefined for everybody but its owner. */
  find(id: string, { id: owner }: Identity): Held | undefined {
    const held = this.#held.get(id);
    return held?.owner === owner ? held : undefined;
  }

  /** In use until the returned function is called. */
  use(held: Held): () => void {
    held.usedAt = Date.now();
    held.busy += 1;
    return () => {
      held.busy -= 1;
      held.usedAt = Date.now();
    };
  }

  tell(notice: Notice): void {
    for (const { session } of this.#held.values()) session.tell(notice);
  }

  /** Ends what nobody used for long. */
  async sweep(): Promise<void> {
    const old = Date.now() - idleMs;
    await this.#endAll(({ busy, usedAt }) => busy === 0 && usedAt < old);
  }

  async close(): Promise<void> {
    await this.#endAll(() => true);
  }

  async end(id: string): Promise<void> {
    const held = this.#held.get(id);
    this.#held.delete(id);
    held?.ended();
    await held?.session.close().catch(() => undefined);
  }

  /** Which one gives way to another of this owner: of his own, else of whoever has most; those in use come last. */
  #surplus(owner: string): string | undefined {
    const counts = new Map([[owner, 1]]);
    for (const held of this.#held.values()) counts.set(held.owner, (counts.get(held.owner) ?? 0) + 1);
    const crowded =
      Number(counts.get(owner)) > maxSessionsEach ? owner : this.#held.size >= maxSessions ? mostOf(counts) : undefined;
    const [first] = [...this.#held].filter(([, held]) => held.owner === crowded).sort(byUse);
    return first?.[0];
  }

  async #endAll(which: (held: Held) => boolean): Promise<void> {
    await Promise.all([...this.#held].filter(([, held]) => which(held)).map(([id]) => this.end(id)));
  }
}

function mostOf(counts: ReadonlyMap<string, number>): string | undefined {
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** Idle ones first, the longest unused of them before others. */
function byUse([, a]: [string, Held], [, b]: [string, Held]): number {
  return Number(a.busy > 0) - Number(b.busy > 0) || a.usedAt - b.usedAt;
}
