/** One login at a vendor, from its first address to the account: begun, waited for, finished by hand, or given up. */
import { gateway } from "../../client/gateway.ts";
import { ApiError, call } from "../../client/http.ts";

export interface Flow {
  readonly flow_id: string;
  readonly mode: "callback" | "device";
  readonly auth_url: string;
  readonly user_code: string;
  /** The browser's way back is caught on the gateway's machine. */
  readonly listening: boolean;
  /** When it is over, by the clock of this browser. */
  readonly until: number;
}

export interface LoggedIn {
  readonly ok: true;
  readonly account: string;
  /** What the account may use; null: the vendor does not say. */
  readonly models: readonly string[] | null;
}

type Answer = LoggedIn | { readonly ok: false };

export interface Names {
  readonly account_label?: string;
  readonly network_proxy?: string;
}

/** The gateway waits up to 25 s before it says that nothing happened yet. */
const waitMs = 60_000;
const finishMs = 120_000;
const pauseMs = 3000;

export async function beginLogin(provider: string, names: Names): Promise<Flow> {
  const params = { provider, listen: true, ...names };
  const begun = await call<Flow & { readonly expires_in: number }>("provider.oauth.start", params, { timeout: waitMs });
  return { ...begun, until: Date.now() + begun.expires_in * 1000 };
}

/** Until the vendor says that the person is in. A gateway that does not answer for a while is waited for. */
export async function waitForLogin(flow: Flow, names: Names, signal: AbortSignal): Promise<LoggedIn> {
  for (;;) {
    try {
      const params = { flow_id: flow.flow_id, ...names };
      const answer = await call<Answer>("provider.oauth.complete", params, { timeout: waitMs, signal });
      if (answer.ok) return answer;
    } catch (error) {
      if (!isPassing(error)) throw error;
      await backOrLater(signal);
    }
    signal.throwIfAborted();
  }
}

/** With the address that the browser ended up at. */
export function finishLogin(flow: Flow, names: Names, callbackUrl: string): Promise<LoggedIn> {
  const params = { flow_id: flow.flow_id, callback_url: callbackUrl, ...names };
  return call<LoggedIn>("provider.oauth.complete", params, { timeout: finishMs });
}

export async function giveUp({ flow_id }: Flow): Promise<void> {
  // It ends by itself, too.
  await call("provider.oauth.cancel", { flow_id }).catch(() => undefined);
}

/** The gateway was not reached, or what stands before it answered. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.code.startsWith("HTTP_5"));
}

function backOrLater(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      gateway.removeEventListener("back", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, pauseMs);
    gateway.addEventListener("back", done);
    signal.addEventListener("abort", done);
  });
}
