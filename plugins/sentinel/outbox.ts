/**
 * What waits for the webhook: of each thing the newest notice alone, 100 at most. One is sent at a time; one that fails goes
 * to the end and waits for the next run, so that it holds up no other for ever. What waits is in memory.
 */
import { messageOf } from "@chela/sdk";
import type { Notice } from "./watch.ts";
import type { Answer } from "./webhook.ts";

const mostWaiting = 100;

interface Parts {
  readonly post: (notice: Notice) => Promise<Answer>;
  /** It did not get through. The same reason is told once, until something gets through again. */
  readonly failed: (reason: string, waiting: number) => void;
}

export class Outbox {
  readonly #parts: Parts;
  readonly #waiting = new Map<string, Notice>();
  #sending = false;
  #answeredAt: number | null = null;
  #trouble = "";

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  facts(): { readonly answeredAt: number | null; readonly waiting: number; readonly trouble: string } {
    return { answeredAt: this.#answeredAt, waiting: this.#waiting.size, trouble: this.#trouble };
  }

  put(notice: Notice): void {
    this.#waiting.delete(notice.what);
    this.#waiting.set(notice.what, notice);
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size > mostWaiting) this.#waiting.delete(oldest);
  }

  clear(): void {
    this.#waiting.clear();
    this.#trouble = "";
  }

  /** Sends what waits until something fails. Never throws. */
  async flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (const notice of this.#waiting.values()) {
      const isSent = await this.#send(notice);
      const isNewest = this.#waiting.get(notice.what) === notice;
      if (isNewest && isSent) this.#waiting.delete(notice.what);
      else if (isNewest) this.put(notice);
      if (!isSent) break;
    }
    this.#sending = false;
  }

  /** Sends one that does not wait. */
  async send(notice: Notice): Promise<Answer> {
    const answer = await this.#parts.post(notice);
    this.#answeredAt = Date.now();
    this.#trouble = "";
    return answer;
  }

  async #send(notice: Notice): Promise<boolean> {
    try {
      await this.send(notice);
      return true;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== this.#trouble) this.#parts.failed(reason, this.#waiting.size);
      this.#trouble = reason;
      return false;
    }
  }
}
