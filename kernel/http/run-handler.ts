/** Runs a route's handler. Whatever it throws or gives that no client can be told is a fault of its owner. */

import type { FaultReporter } from "../hooks.ts";
import { isPromise } from "../instance/scope.ts";
import type { LiveRoute } from "../routes.ts";
import { isRefusal } from "./errors.ts";
import type { RequestView } from "./request-view.ts";
import { type Outgoing, outgoing } from "./respond.ts";

export async function runHandler(
  { route, owner }: LiveRoute,
  view: RequestView,
  report: FaultReporter,
): Promise<Outgoing> {
  try {
    const answer = owner.scope.run<[], unknown>(() => route.handler(view as never));
    return outgoing(isPromise(answer) ? await owner.scope.orStopped(answer) : answer);
  } catch (error) {
    if (!isRefusal(error)) report(owner.id, `route ${route.method} ${route.path}`, error);
    throw error;
  }
}
