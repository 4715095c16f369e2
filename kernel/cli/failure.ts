/** Errors as the person at the terminal meets them: one line, an exit code, and the stack only with `--verbose`. */
import type { Io } from "./io.ts";

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly exit: number;
}

/** What is not listed ends with 1; a fault of this very process with 70. */
const exits: Readonly<Record<string, number>> = {
  GATEWAY_NOT_RUNNING: 69,
  GATEWAY_UNREACHABLE: 69,
};

/** What a person can do about what a gateway answered. */
const ways: Readonly<Record<string, string>> = {
  MODEL_UNKNOWN: "Choose another one: chela models list, then chela provider use provider/model",
  PROVIDER_UNKNOWN: "See: chela provider list",
  SESSION_UNKNOWN: "See: chela sessions list",
  UPSTREAM_AUTH: "Give it another key: chela provider configure NAME --api-key -",
};
const upstreamWay = "See who answers: chela models test";

export interface Printer {
  readonly io: Io;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly print: (text: string) => void;
}

export function failureOf(error: unknown): Failure {
  const { code, message, details } = (error ?? {}) as { code?: unknown; message?: unknown; details?: unknown };
  if (typeof code !== "string" || typeof message !== "string" || code === "" || code.startsWith("ERR_"))
    return { code: "INTERNAL", message: internal(message ?? error), exit: 70 };
  return {
    code,
    message: message || code,
    ...(typeof details === "object" && details !== null ? { details: { ...details } } : {}),
    exit: exits[code] ?? 1,
  };
}

/** Prints the failure in the asked form and returns its exit code. */
export function report(error: unknown, how: Printer): number {
  const failure = failureOf(error);
  if (how.json) {
    const { code, message, details } = failure;
    const body = { ok: false, error: { code, message, ...(details ? { details } : {}) } };
    how.io.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
  } else how.print(withWay(failure));
  if (how.verbose && error instanceof Error && error.stack) how.io.stderr.write(`${error.stack}\n`);
  return failure.exit;
}

/** The message, and the way out where there is one. */
export function withWay({ code, message }: Pick<Failure, "code" | "message">): string {
  const way = ways[code] ?? (code.startsWith("UPSTREAM_") ? upstreamWay : undefined);
  return way === undefined ? message : `${message.replace(/[.!?]?$/, (end) => end || ".")} ${way}`;
}

function internal(message: unknown): string {
  const what = String(message).split("\n", 1)[0];
  return `Internal fault: ${what}. Run again with --verbose for the place, and please report it.`;
}
