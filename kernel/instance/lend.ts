/**
 * The host's own services as one plugin gets them. While it waits for a change that it asked for, its waiting is no work
 * in flight, else it would hold up its own restart; what it subscribed to ends with its scope.
 */
import type { Children } from "@chela/sdk";
import { childrenOf } from "../services/children.ts";
import type { Scope } from "./scope.ts";

type Member = (...args: unknown[]) => unknown;

/** They take a listener first, give the function that forgets it, and tell it so often. */
const subscribers: ReadonlyMap<string, "once" | "always"> = new Map([
  ["subscribe", "always"],
  ["onCredentialEnd", "once"],
]);
/** Services through which a plugin can change what is live. */
const changing: ReadonlySet<string> = new Set(["config", "plugins", "gateway"]);

export function lent(id: string, service: object, scope: Scope): object {
  if (id === "children") return Object.freeze(childrenOf(scope, service as Children));
  const wrapped: Record<string, unknown> = Object.create(service);
  for (const name of namesOf(service)) {
    const member = (service as Record<string, unknown>)[name];
    if (typeof member !== "function") continue;
    const call: Member = (...args) => member.apply(service, args);
    const often = subscribers.get(name);
    wrapped[name] = often ? subscribing(call, scope, often) : changing.has(id) ? waiting(call, scope) : call;
  }
  return Object.freeze(wrapped);
}

/** Of a class, too, whose methods are its prototype's. */
export function namesOf(service: object): ReadonlySet<string> {
  const names = new Set(Object.keys(service));
  for (
    let proto = Object.getPrototypeOf(service);
    proto && proto !== Object.prototype;
    proto = Object.getPrototypeOf(proto)
  ) {
    for (const name of Object.getOwnPropertyNames(proto)) if (name !== "constructor") names.add(name);
  }
  return names;
}

function waiting(call: Member, scope: Scope): Member {
  return (...args) => {
    const answer = call(...args);
    return answer instanceof Promise ? scope.change(answer) : answer;
  };
}

function subscribing(call: Member, scope: Scope, often: "once" | "always"): Member {
  return (listener, ...rest) => {
    scope.assertOpen("subscribe");
    const tell: Member = (...told) => {
      if (often === "once") forget();
      return scope.run(listener as Member, ...told);
    };
    const undo = call(tell, ...rest) as () => void;
    const forget = scope.own("subscription", "subscribe", undo);
    return () => {
      forget();
      undo();
    };
  };
}
