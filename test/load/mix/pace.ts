/** So many jobs a second, as far as the machine can: never more than `most` at once, so that a slow one is merely slower. */
import { pauseFor, until } from "../../kit/until.ts";

export interface Pace {
  readonly failures: string[];
  readonly done: number;
  end(): Promise<void>;
}

export function startPace(job: (n: number) => Promise<void>, perSecond = 500, most = 64): Pace {
  const failures: string[] = [];
  const state = { n: 0, open: 0, done: 0, running: true };
  const one = async (n: number) => {
    state.open += 1;
    try {
      await job(n);
    } catch (error) {
      failures.push(`${n}: ${(error as Error).message} ${String((error as Error).cause ?? "")}`);
    } finally {
      state.open -= 1;
      state.done += 1;
    }
  };
  const loop = async () => {
    const from = performance.now();
    while (state.running) {
      const due = ((performance.now() - from) / 1000) * perSecond;
      while (state.n < due && state.open < most && state.running) {
        state.n += 1;
        void one(state.n);
      }
      await pauseFor(5);
    }
  };
  const looping = loop();
  return {
    failures,
    get done() {
      return state.done;
    },
    end: async () => {
      state.running = false;
      await looping;
      await until(() => state.open === 0, 60_000, "all requests to be answered");
    },
  };
}
