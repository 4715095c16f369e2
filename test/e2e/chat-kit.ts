/** What the tests of the chat page share: a simulated upstream behind the gateway, and ways to the parts of the page. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import type { Behaviour } from "../simulators/openai/behaviour.ts";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";
import type { Stage } from "./kit.ts";

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

export async function say(page: Page, text: string): Promise<void> {
  const box = page.getByRole("textbox", { name: "Message" });
  await box.fill(text);
  await box.press("Enter");
}

export async function choose(page: Page, model: string): Promise<void> {
  await page.getByLabel("Model", { exact: true }).selectOption(model);
}

/** Where messages are: the list of sessions shows the newest of each, too. */
export function thread(page: Page): Locator {
  return page.getByRole("region", { name: "Messages" });
}

/** The texts of the messages on the page, in order. */
export async function said(page: Page): Promise<string[]> {
  return page.locator("chat-user .bubble, chat-reply ui-markdown .md").allInnerTexts();
}
