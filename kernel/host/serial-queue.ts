/** One piece of work after the other, each as the host's own, whoever asked for it; one that fails does not stop the next. */
import { runAs } from "../instance/running.ts";

export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => runAs(undefined, work));
    this.#last = done.catch(() => undefined);
    return done;
  }
}
