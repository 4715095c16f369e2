/** What the tests of the chat page share: a simulated upstream behind the gateway, and ways to the parts of the page. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import type { Behaviour } from "../simulators/openai/behaviour.ts";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";
import type { Reader, Stage } from "./kit.ts";

export interface Simulated {
  readonly upstream: Upstream;
  /** What the model `sim/NAME` does from now on. */
  script(name: string, behaviour: Behaviour): void;
}

const names = ["echo", "stream", "rich", "fault"];

/** Call it after `stage()`, at the top of a file. */
export function simulated(scene: Stage): Simulated {
  const made: { upstream?: Upstream } = {};
  beforeAll(async () => {
    made.upstream = await startUpstream();
    const provider = { api_base: made.upstream.base, api_key: "any", models: names };
    await scene.call("config.set", { path: "models.providers.sim", value: provider });
  });
  afterAll(() => made.upstream?.close());
  return {
    get upstream() {
      return made.upstream as Upstream;
    },
    script: (name, behaviour) => made.upstream?.script(name, behaviour),
  };
}

export interface Talk {
  /** As people send: with Enter at a desk, with the button on a phone, whose Enter begins a new line. */
  say(page: Page, text: string): Promise<void>;
  choose(page: Page, model: string): Promise<void>;
  /** Where messages are: the list of sessions shows the newest of each, too. */
  thread(page: Page): Locator;
}

export function talking({ w, phone }: Reader): Talk {
  return {
    say: async (page, text) => {
      const box = page.getByRole("textbox", { name: w("chat.message") });
      await box.fill(text);
      if (phone) await page.getByRole("button", { name: w("chat.send"), exact: true }).click();
      else await box.press("Enter");
    },
    choose: async (page, model) => {
      await page.getByLabel(w("chat.model"), { exact: true }).selectOption(model);
    },
    thread: (page) => page.getByRole("region", { name: w("chat.messages") }),
  };
}

/** The texts of the messages on the page, in order. */
export async function said(page: Page): Promise<string[]> {
  return page.locator("chat-user .bubble, chat-reply ui-markdown .md").allInnerTexts();
}
