/** The chat page stays smooth while a long reply streams. */
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { simulated, talking } from "./chat-kit.ts";
import { type Reader, readers, stage } from "./kit.ts";

const scene = stage();
const sim = simulated(scene);
const { say, choose, thread } = talking(readers[0] as Reader);

/** All that Markdown has, so long that drawing it whole takes many pictures. */
const section = (index: number) =>
  `## Section ${index}\n\n${`A paragraph with **bold**, *emphasis*, \`code\` and [a link](https://example.org/${index}). `.repeat(7)}\n\n` +
  `- one of ${index}\n- two\n\n| a | b |\n|---|---|\n| ${index} | x |\n\n\`\`\`ts\nexport const value${index} = ${index};\n\`\`\`\n\n`;
const long = Array.from({ length: 150 }, (_, index) => section(index)).join("");
const tokens = `${"A last paragraph grows word by word, ".repeat(60)}the end.`.match(/.{1,6}/g) ?? [];

/** Counts, from now on, what is put on the page below the text of the reply. */
async function countNodes(page: Page): Promise<() => Promise<number>> {
  const place = page.locator("ui-markdown .md");
  await place.evaluate((element) => {
    const counter = element as HTMLElement & { added: number };
    counter.added = 0;
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) counter.added += addedNodes.length;
    }).observe(element, { childList: true, subtree: true });
  });
  return () => place.evaluate((element) => (element as HTMLElement & { added: number }).added);
}

describe("a reply of 100 KB to which 200 tokens come in a second", () => {
  it("draws only its last block again with each of them", async () => {
    expect(long.length).toBeGreaterThan(95_000);
    sim.script("stream", { pieces: [long, ...tokens], chunkMs: 5 });
    const page = await scene.visit({ at: "#/chat/web:speed" });
    await choose(page, "sim/stream");
    await say(page, "go");
    const nodes = await countNodes(page);
    await thread(page).getByText("the end.").waitFor({ timeout: 30_000 });
    // Blocks, their leaves, and a few nodes for each token; all of it with each token would be hundreds of thousands.
    expect(await nodes()).toBeLessThan(10 * 150 + 10 * tokens.length);
  });
});
