/** Why the file on disk is not what runs: kept for `status`, published once per change for whoever listens. */
import type { ConfigTrouble } from "../config/service.ts";
import type { EventBus } from "./events.ts";

export class Trouble {
  readonly #events: EventBus;
  #state: ConfigTrouble | null = null;

  constructor(events: EventBus) {
    this.#events = events;
  }

  get(): ConfigTrouble | null {
    return this.#state;
  }

  set(state: ConfigTrouble | null): void {
    const before = this.#state;
    this.#state = state;
    if (before?.message === state?.message) return;
    if (state) this.#events.publish("config_error", { ...state });
    else this.#events.publish("config_ok", {});
  }
}
