/** Everything that asking a model takes, loaded with the first question: the start has no use for it. */
export { callModel } from "./call.ts";
export { walk } from "./failover/failover.ts";
export { aborted } from "./failover/faults.ts";
export { offlineEvents } from "./offline/stream.ts";
export { rest } from "./rest.ts";
export { forwardStraight } from "./straight.ts";
