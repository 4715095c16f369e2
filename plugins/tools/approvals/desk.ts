/**
 * The calls that wait for a person. A decision names the hash of exactly what was shown, and what was shown cannot change
 * afterwards; whoever asks must be answered: by a person, the deadline, the end of the turn or the end of this plugin.
 * Nobody there to ask is a no at once.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  type Approval,
  type ApprovalDecision,
  type Approvals,
  allows,
  BoundedMap,
  GatewayError,
  type Identity,
  type ToolInvocation,
} from "@chela/sdk";

/** How a question ended. */
export type Ending = ApprovalDecision | "expired" | "aborted" | "stopped";

export interface Resolved {
  readonly approval: Approval;
  readonly ending: Ending;
  /** Id of who decided; empty when nobody did. */
  readonly by: string;
}

export type Notice =
  | { readonly type: "requested"; readonly approval: Approval }
  | ({ readonly type: "resolved" } & Resolved);

/** A call that needs a person. Its input is frozen. */
export interface Question {
  readonly invocation: ToolInvocation;
  /** What `always` would remember; undefined: nothing can be. */
  readonly grant: string | undefined;
  readonly timeoutMs: number;
  /** How to do without a person, for the text of a denial. */
  readonly hint: string;
}

interface Waiting {
  readonly approval: Approval;
  readonly grant: string | undefined;
  settle(ending: Ending, by: string): void;
}

interface Attendant {
  readonly session: string | undefined;
}

const maxWaiting = 200;
const maxWaitingInSession = 32;
/** Whoever names a new session with each call leaves room for the others. */
const maxWaitingOfOne = 64;
const maxGrants = 10_000;
/** More than a person can read. */
export const maxShownChars = 256 * 1024;

export class ApprovalDesk implements Approvals {
  readonly #waiting = new Map<string, Waiting>();
  readonly #attending = new Set<Attendant>();
  /** Grant → its session. */
  readonly #grants = new BoundedMap<string, string | null>(maxGrants);
  readonly #listeners = new Set<(notice: Notice) => void>();
  #closed = false;

  pending(): readonly Approval[] {
    return [...this.#waiting.values()].map(({ approval }) => approval);
  }

  get attending(): number {
    return this.#attending.size;
  }

  attend(who: Identity, session?: string): () => void {
    mustDecide(who);
    const attendant: Attendant = { session };
    this.#attending.add(attendant);
    return () => void this.#attending.delete(attendant);
  }

  /** Every question and its end, from now on. Returns its own undo. */
  watch(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async decide(id: string, hash: string, decision: ApprovalDecision, by: Identity): Promise<void> {
    mustDecide(by);
    const waiting = this.#waiting.get(id);
    if (!waiting)
      throw new GatewayError("APPROVAL_UNKNOWN", 404, `no call waits under "${id.slice(0, 64)}"; it is over`);
    if (hash !== waiting.approval.hash) {
      const message = "the hash is not that of the call that waits: read it again before you decide";
      throw new GatewayError("APPROVAL_CHANGED", 409, message, { hash: waiting.approval.hash });
    }
    if (decision === "always" && waiting.grant !== undefined) this.#grants.set(waiting.grant, waiting.approval.session);
    waiting.settle(decision, by.id);
  }

  /** Whether a person said `always` to it. */
  isGranted(grant: string | undefined): boolean {
    return grant !== undefined && this.#grants.has(grant);
  }

  /** What was granted in a session goes with it: another one may get its name. */
  forget(session: string): void {
    for (const [grant, own] of this.#grants) if (own === session) this.#grants.delete(grant);
  }

  /** Asks whoever attends. The answer says why not, or is undefined: it may run. */
  async ask({ invocation, grant, timeoutMs, hint }: Question): Promise<{ deny: string } | undefined> {
    const { tool, turn } = invocation;
    const approval = approvalOf(invocation, timeoutMs);
    const refusal = this.#refusal(approval);
    if (refusal) return { deny: `${tool} needs the approval of a person, and ${refusal}. ${hint}` };
    const { ending, by } = await this.#wait({ approval, grant }, turn.signal, timeoutMs);
    if (ending === "allow" || ending === "always") return undefined;
    return { deny: `${tool} was not approved: ${endings[ending]}${ending === "deny" ? ` (${by})` : `. ${hint}`}` };
  }

  /** Nothing is asked any more; what waits is denied. */
  close(): void {
    this.#closed = true;
    for (const waiting of [...this.#waiting.values()]) waiting.settle("stopped", "");
  }

  #refusal(approval: Approval): string | undefined {
    const { session, root, input } = approval;
    if (this.#closed) return "approvals are being stopped";
    if (input.length > maxShownChars)
      return `its input has more than ${maxShownChars} characters, too many to be shown`;
    if (![...this.#attending].some((attendant) => concerns(attendant.session, approval)))
      return "nobody is there to ask";
    const waiting = this.pending();
    const same = waiting.filter((other) => other.session === session && other.root === root).length;
    const own = waiting.filter((other) => other.identity === approval.identity).length;
    const full = waiting.length >= maxWaiting || same >= maxWaitingInSession || own >= maxWaitingOfOne;
    return full ? "too many calls wait for approval already" : undefined;
  }

  #wait(asked: Pick<Waiting, "approval" | "grant">, signal: AbortSignal, timeoutMs: number): Promise<Resolved> {
    const { approval } = asked;
    return new Promise((resolve) => {
      const settle = (ending: Ending, by: string) => {
        if (!this.#waiting.delete(approval.id)) return;
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
        resolve({ approval, ending, by });
        this.#tell({ type: "resolved", approval, ending, by });
      };
      const aborted = () => settle("aborted", "");
      const timer = setTimeout(() => settle("expired", ""), timeoutMs);
      this.#waiting.set(approval.id, { ...asked, settle });
      this.#tell({ type: "requested", approval });
      signal.addEventListener("abort", aborted, { once: true });
      if (signal.aborted) aborted();
    });
  }

  #tell(notice: Notice): void {
    for (const listener of [...this.#listeners]) listener(notice);
  }
}

const endings: Readonly<Record<Exclude<Ending, "allow" | "always">, string>> = {
  deny: "a person said no",
  expired: "nobody answered in time",
  aborted: "the turn was stopped",
  stopped: "the gateway is stopping or reloading its tools",
};

/** True when a question concerns those who attend to `session` only; undefined attends to everything. */
export function concerns(session: string | undefined, { session: own, root }: Pick<Approval, "session" | "root">) {
  return session === undefined || session === own || session === root;
}

function mustDecide(who: Identity): void {
  if (allows(who, "admin")) return;
  throw new GatewayError("FORBIDDEN", 403, "only an identity with the scope admin may decide about tool calls");
}

function approvalOf({ tool, risk, input, turn }: ToolInvocation, timeoutMs: number): Approval {
  const text = JSON.stringify(input) ?? "null";
  const createdAt = Date.now();
  return Object.freeze({
    id: `a_${randomBytes(9).toString("base64url")}`,
    tool,
    risk,
    input: text,
    hash: createHash("sha256").update(`${tool}\n${text}`).digest("hex"),
    session: turn.session,
    root: turn.root ?? null,
    turn: turn.id,
    agent: turn.agent,
    identity: turn.identity.id,
    createdAt,
    expiresAt: createdAt + timeoutMs,
  });
}
