/** Runs a route's handler. Whatever it throws or gives that no client can be told is a fault of its owner. */
import { isRefusal } from "./errors.ts";
import type { FaultReporter } from "./hooks.ts";
import type { RequestView } from "./request-view.ts";
import { type Outgoing, outgoing } from "./respond.ts";
import type { LiveRoute } from "./routes.ts";
import { isPromise } from "./scope.ts";

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
