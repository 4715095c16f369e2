/**
 * Whose code runs, carried through every timer, promise, socket and child that comes of it. Node does that for next to
 * nothing from 24 on; before, every promise of the process would pay for it, so there nobody is known to run.
 */
import { AsyncLocalStorage } from "node:async_hooks";

const carried = Number.parseInt(process.versions.node, 10) >= 24;
const running = new AsyncLocalStorage<object | undefined>();

export function runAs<A extends unknown[], T>(owner: object | undefined, code: (...args: A) => T, ...args: A): T {
  return carried ? running.run(owner, code, ...args) : code(...args);
}

/** Whose code runs now; in a handler of uncaught errors, whose error it is. */
export function whoRuns(): object | undefined {
  return running.getStore();
}
