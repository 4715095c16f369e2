/** The simulator by hand: `POST /_sim/<verb>` with a JSON array of arguments, on either listener. */
import type { FaultRule } from "./faults.ts";
import type { Confirmation, Json } from "./logins.ts";
import type { Sim } from "./server.ts";

type Verb = (...args: readonly never[]) => unknown;

/** Answers with what the verb gives. Where a verb takes a key, `""` is that of the newest QR code. */
export function controls(sim: Sim): Readonly<Record<string, Verb>> {
  const { logins } = sim;
  const at = (key: string) => key || (logins.keys.at(-1) ?? "");
  return {
    keys: () => logins.keys,
    scan: (key: string, user?: string) => logins.scan(at(key), user),
    requireCode: (key: string, code: string, tries?: number) => logins.requireCode(at(key), code, tries),
    confirm: (key: string, more?: Confirmation) => logins.confirm(at(key), more),
    expire: (key: string) => logins.expire(at(key)),
    redirect: (key: string, host: string) => logins.redirect(at(key), host),
    alreadyBound: (key: string) => logins.alreadyBound(at(key)),
    say: (key: string, state: Json) => logins.say(at(key), state),
    fault: (rule: FaultRule) => sim.fault(rule),
    clearFaults: () => sim.clearFaults(),
    violations: () => sim.violations,
    journal: () => sim.journal.map(({ query, headers: _, ...one }) => ({ ...one, query: Object.fromEntries(query) })),
  };
}
