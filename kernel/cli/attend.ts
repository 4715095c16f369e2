/**
 * Attending to approvals while a turn runs: what its tools want to do is shown whole, with nothing in it that could move
 * the cursor or reorder the text, and the answer names the hash of exactly that.
 */
import { type Approval, type ApprovalDecision, GatewayError } from "@chela/sdk";
import type { Gateway } from "./client.ts";
import { openSocket } from "./socket.ts";

/** Undefined: no answer from here. `signal` aborts when the call is over before it was answered. */
export type Decide = (approval: Approval, signal: AbortSignal) => Promise<ApprovalDecision | undefined>;

/** Until the returned function is called. Null: this credential may not decide, or nobody asks for approvals there. */
export async function attendApprovals(
  gateway: Gateway,
  session: string,
  decide: Decide,
): Promise<{ readonly close: () => void } | null> {
  const path = `/api/approvals/live?session=${encodeURIComponent(session)}`;
  const socket = await openSocket(gateway, path).catch((error: unknown) => {
    if (GatewayError.is(error) && (error.code === "FORBIDDEN" || error.code === "GATEWAY_REPLY")) return null;
    throw error;
  });
  if (!socket) return null;
  const open = new Map<string, AbortController>();
  /** One question after the other. */
  let queue: Promise<unknown> = Promise.resolve();
  const answer = async (approval: Approval, over: AbortController) => {
    if (over.signal.aborted) return;
    const decision = await decide(approval, over.signal);
    const { id, hash } = approval;
    if (decision && !over.signal.aborted) socket.send({ id, hash, decision });
  };
  const listen = async () => {
    for await (const frame of socket.frames()) {
      if (frame.type === "approval_resolved") open.get(String(frame.id))?.abort();
      if (frame.type !== "approval_requested") continue;
      const over = new AbortController();
      open.set(String(frame.id), over);
      queue = queue.then(() => answer(frame as unknown as Approval, over)).catch(() => undefined);
    }
    for (const over of open.values()) over.abort();
  };
  void listen();
  return { close: () => socket.close() };
}

/** Everything that is no visible character, as `\u…`: marks that reorder or hide text, and controls. */
export function escaped(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu, (char) =>
    char === "\n"
      ? char
      : [...char].map((one) => `\\u{${(one.codePointAt(0) as number).toString(16).padStart(4, "0")}}`).join(""),
  );
}

/** More than this is not seen at one glance. */
const longChars = 1500;

/** The whole call, several lines. */
export function described({ tool, risk, input, session, agent, hash }: Approval): string {
  const where = session === null ? "" : ` in session ${escaped(session)}`;
  const long = input.length > longChars ? ` ${input.length} characters: scroll up, and read from the beginning` : "";
  return `${escaped(agent)} wants to run ${escaped(tool)} (${risk})${where}:\n${escaped(pretty(input))}\n[${hash.slice(0, 12)}]${long}`;
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

export function decisionOf(answer: string): ApprovalDecision {
  const word = answer.trim().toLowerCase();
  if (word === "y" || word === "yes") return "allow";
  return word === "a" || word === "always" ? "always" : "deny";
}
