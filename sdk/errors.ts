/**
 * The one error type of Chela. Whatever a plugin, a service or the host refuses is thrown as a GatewayError;
 * each public dialect renders it once, at the edge, so nothing in between judges an error by its text.
 */

const brand = Symbol.for("chela.GatewayError");

/** A refusal or a fault with a code, an HTTP status and a sentence for people. */
export class GatewayError extends Error {
  /** Stable, upper snake case, listed in the reference: `CONFIG_INVALID`. */
  readonly code: string;
  /** The HTTP status that says the same: 400 … 599. */
  readonly status: number;
  /** Plain data for machines: offending paths, the current hash, seconds to wait. Never a secret. */
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** Extra reply headers, e.g. `{ "retry-after": "20" }`. */
  headers: Record<string, string> | undefined;

  /** `message` says what is wrong, where, and what to do. `cause` may be passed in `options`. */
  // biome-ignore lint/complexity/useMaxParams: four parameters are the contract, the fifth is the options object
  constructor(
    code: string,
    status: number,
    message: string,
    details?: Record<string, unknown>,
    options?: { cause?: unknown; headers?: Record<string, string> },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "GatewayError";
    this.code = code;
    this.status = status;
    this.details = details;
    this.headers = options?.headers;
    Object.defineProperty(this, brand, { value: true });
  }

  /** True for a GatewayError of any copy of the SDK. */
  static is(error: unknown): error is GatewayError {
    return typeof error === "object" && error !== null && brand in error;
  }
}

/**
 * True for an `Accept` header that asks for JSON and takes nothing else: such a client gets errors as objects. Browsers,
 * curl and HTTP libraries take anything besides, and get the text of the dialect.
 */
export function wantsJson(accept: string | undefined): boolean {
  return accept !== undefined && /^\s*application\/json\b/.test(accept) && !/text\/|\*\/\*/.test(accept);
}
