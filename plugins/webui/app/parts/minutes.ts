/** Renders its host once a minute while it can be seen, so that what is told as `3 minutes ago` does not stand still. */
import type { ReactiveController, ReactiveControllerHost } from "lit";

const minuteMs = 60_000;

export class Minutes implements ReactiveController {
  readonly #host: ReactiveControllerHost & Element;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(host: ReactiveControllerHost & Element) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    this.#timer = setInterval(() => this.#host.checkVisibility() && this.#host.requestUpdate(), minuteMs);
  }

  hostDisconnected(): void {
    clearInterval(this.#timer);
  }
}
