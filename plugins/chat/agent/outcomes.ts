/** Results and refusals that need no model. */
import { GatewayError, type TurnRequest, type TurnResult, type TurnRun } from "@chela/sdk";
import type { KnownRequest } from "../sessions/request-table.ts";
import type { LiveRun } from "./live-run.ts";

/** The first run's outcome again, as one piece. */
export function replay(run: LiveRun, { outcome, userSeq }: KnownRequest): TurnResult {
  if (outcome && "result" in outcome) {
    const { result } = outcome;
    run.begin(userSeq);
    run.answeredBy(result.model);
    if (result.text !== "") run.text(result.text);
    return result;
  }
  const { code, status, message } = outcome?.error ?? { code: "TURN_FAILED", status: 500, message: "the turn failed" };
  throw new GatewayError(code, status, message);
}

/** `seq`: of the message that ends the turn; 0: nothing was stored. */
export function placed(result: TurnResult, seq: number): TurnResult {
  return seq > 0 ? { ...result, seq } : result;
}

/** The result of a turn in which nothing was said. */
export function silence(run: LiveRun, stop: "stop" | "aborted"): TurnResult {
  return { turn: run.id, text: "", model: "", usage: null, stop, toolCalls: [] };
}

/** Nothing is said, shown or answered: no model is asked. */
export function isBlank({ text, media, context }: TurnRequest): boolean {
  return text.trim() === "" && !media?.length && !context?.length;
}

export function late(seconds: number): GatewayError {
  return new GatewayError(
    "TURN_TIMEOUT",
    504,
    `the turn did not end within ${seconds} s (agents.defaults.turn_timeout_sec)`,
  );
}

/** It never began. */
export function refusedRun(run: LiveRun, error: unknown): TurnRun {
  run.end();
  return run.view(quiet(Promise.reject(error)));
}

/** A caller who only listens to the events must not bring the process down with a rejection that he never looks at. */
export function quiet<T>(done: Promise<T>): Promise<T> {
  done.catch(() => undefined);
  return done;
}
