/** Asks one candidate with what its credential signs. A token that was refused is replaced once, where the credential can. */
import { GatewayError } from "@chela/sdk";
import type { Signed } from "../credentials/credential.ts";
import type { Ask, Budget, Candidate } from "./failover.ts";

/** A key signs at once and costs no promise of its own. */
export function signedAsk<C extends Candidate, T>(ask: Ask<C, T>, candidate: C, budget: Budget): Promise<T> {
  const { credential } = candidate;
  const given = credential.token(budget.signal);
  return given instanceof Promise || credential.refused
    ? renewingAsk(ask, candidate, { budget, given })
    : ask(candidate, given, budget);
}

async function renewingAsk<C extends Candidate, T>(
  ask: Ask<C, T>,
  candidate: C,
  { budget, given }: { readonly budget: Budget; readonly given: Signed | Promise<Signed> },
): Promise<T> {
  const { credential } = candidate;
  const signed = await tokenOf(given, candidate, budget);
  try {
    return await ask(candidate, signed, budget);
  } catch (error) {
    if (!GatewayError.is(error) || error.code !== "UPSTREAM_AUTH" || error.status !== 401) throw error;
    if (signed.token === undefined || credential.refused?.(signed.token) !== true) throw error;
    return await ask(candidate, await tokenOf(credential.token(budget.signal), candidate, budget), budget);
  }
}

async function tokenOf(given: Signed | Promise<Signed>, { id }: Candidate, { signal }: Budget): Promise<Signed> {
  try {
    return await given;
  } catch (error) {
    if (signal.aborted || !GatewayError.is(error)) throw error;
    if (error.code === "UPSTREAM_NO_TOKEN" || error.code === "ABORTED") throw error;
    // It could not be asked: that is not the upstream's refusal of a token.
    throw new GatewayError("UPSTREAM_NO_TOKEN", error.status, `${id}: ${error.message}`, error.details, {
      cause: error,
    });
  }
}
