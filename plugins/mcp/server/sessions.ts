/** The sessions of MCP clients: each belongs to the identity that began it, is bounded in number and ends when it is not used. */
import type { Identity } from "@chela/sdk";
import type { Session } from "./door.ts";
import type { Notice } from "./offered.ts";

const maxSessions = 200;
const maxSessionsEach = 50;
const idleMs = 30 * 60_000;

export interface Held {
  readonly session: Session<Identity>;
  readonly owner: string;
  usedAt: number;
  /** Requests that run, an open stream of messages among them. */
  busy: number;
}

export class Sessions {
  readonly #held = new Map<string, Held>();

  add(id: string, session: Session<Identity>, owner: string): void {
    this.#held.set(id, { session, owner, usedAt: Date.now(), busy: 0 });
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

  /** The session of his that was used longest ago gives way, else that of anybody. */
  async makeRoom(owner: string): Promise<void> {
    const all = [...this.#held].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    const own = all.filter(([, held]) => held.owner === owner);
    const [oldest] = own.length >= maxSessionsEach ? own : all.length >= maxSessions ? all : [];
    if (oldest) await this.end(oldest[0]);
  }

  /** Ends what nobody used for long. */
  async sweep(): Promise<void> {
    const old = Date.now() - idleMs;
    await this.#endAll(({ busy, usedAt }) => busy === 0 && usedAt < old);
  }

  async endOf(owner: string): Promise<void> {
    await this.#endAll((held) => held.owner === owner);
  }

  async close(): Promise<void> {
    await this.#endAll(() => true);
  }

  async end(id: string): Promise<void> {
    const held = this.#held.get(id);
    this.#held.delete(id);
    await held?.session.close().catch(() => undefined);
  }

  async #endAll(which: (held: Held) => boolean): Promise<void> {
    await Promise.all([...this.#held].filter(([, held]) => which(held)).map(([id]) => this.end(id)));
  }
}
