/** What the page knows of the gateway: whether it is there, and what happens in it, as events. One for the whole page. */
import { traffic } from "./http.ts";
import { credentialGone, LiveSocket } from "./live-socket.ts";
import { session } from "./session.ts";

export interface GatewayEvent {
  readonly type: string;
  readonly seq?: number;
  readonly [fact: string]: unknown;
}

/** `mute`: it answers, but its events do not come through. */
export type Link = "connecting" | "online" | "lost" | "mute";

/** A gateway that starts answers before all of its plugins run: what was not there yet is looked for again so long. */
const startingMs = 15_000;

type Listener = (event: GatewayEvent) => void;

/** Tells `link` when the connection changed and `back` when it is there again: then load anew what may have changed. */
export class GatewayLink extends EventTarget {
  readonly #listeners = new Set<{ readonly types: ReadonlySet<string>; readonly tell: Listener }>();
  readonly #socket: LiveSocket;
  #state: Link = "connecting";
  #seq: number | undefined;
  #returned = Number.NEGATIVE_INFINITY;
  /** The last request got no answer. */
  #isAway = false;
  #isLooking = false;

  constructor() {
    super();
    this.#socket = new LiveSocket(() => `/api/events/live${this.#seq === undefined ? "" : `?since=${this.#seq}`}`, {
      opened: () => this.#become("online"),
      frame: (frame) => this.#tell(frame as GatewayEvent),
      closed: (code) => this.#lost(code),
    });
    traffic.addEventListener("reached", () => this.#reached());
    traffic.addEventListener("lost", () => this.#missed());
    traffic.addEventListener("unauthorized", () => void this.#look());
    // A socket may have ended long ago while the machine slept: saying something finds out.
    document.addEventListener("visibilitychange", () => this.#socket.send({ type: "here" }));
  }

  get state(): Link {
    return this.#state;
  }

  start(): void {
    this.#socket.open();
  }

  stop(): void {
    this.#socket.close();
    if (this.#state !== "connecting") this.#state = "lost";
  }

  retry(): void {
    this.#socket.retry();
  }

  /** Calls `tell` for every event of these types. Returns its own undo. */
  on(types: readonly string[], tell: Listener): () => void {
    const entry = { types: new Set(types), tell };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  #tell(event: GatewayEvent): void {
    // A number from before a restart means nothing to the new process.
    if (event.type === "ready" || event.seq !== undefined) this.#seq = event.seq ?? this.#seq;
    if (event.type === "gap" || (event.type === "generation" && this.#isStarting()))
      this.dispatchEvent(new Event("back"));
    for (const { types, tell } of this.#listeners) if (types.has(event.type)) tell(event);
  }

  #isStarting(): boolean {
    return performance.now() - this.#returned < startingMs;
  }

  #reached(): void {
    // Only once: behind a proxy that passes on no WebSocket, everything else is answered.
    if (this.#isAway) this.#socket.retry();
    this.#isAway = false;
  }

  #missed(): void {
    this.#isAway = true;
    if (this.#socket.isOpen) void this.#look();
    else this.#become("lost");
  }

  #lost(code: number): void {
    if (this.#state !== "mute") this.#become("lost");
    if (code === credentialGone || code === 1008 || code === 1006) void this.#look();
  }

  /** Whether it is there, and who is signed in: asked once, however much failed at a time. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const answers = await session.refresh().then(
      () => true,
      () => false,
    );
    this.#isLooking = false;
    if (this.#socket.isWanted && !this.#socket.isOpen) this.#become(answers ? "mute" : "lost");
  }

  #become(state: Link): void {
    if (state === this.#state) return;
    const returned = state === "online" && this.#state !== "connecting";
    this.#state = state;
    this.dispatchEvent(new Event("link"));
    if (!returned) return;
    this.#returned = performance.now();
    this.dispatchEvent(new Event("back"));
    void this.#look();
  }
}

export const gateway = new GatewayLink();
