/** A memory of any size, of any content and in any folders: searching and remembering hold nobody up and lose nothing. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { store as storeService } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { heldBy } from "../../kit/held.ts";
import { until } from "../../kit/until.ts";
import { rig } from "./kit.ts";

/** What the machine's other work may add to a round that takes 20 ms of ours. */
const mostMs = 250;

describe.each([
  ["with the index", true],
  ["without a store", false],
] as const)("searching %s", (_how, withStore) => {
  it("twenty notes of 2 MB hold the loop no longer than a moment, whatever they consist of", async () => {
    const { put, service } = await rig({ withStore });
    await service.searchMemory("needle", 1, "somebody else");
    const pieces = ["\n", "a\n", "word\n\n", "## x\n", "你好。", "ﷺ", " ", "one two three four\n\n"];
    for (const [at, piece] of [...pieces, ...pieces].entries()) {
      const text = piece.repeat(Math.floor(2_000_000 / Buffer.byteLength(piece)));
      put(`memory/n${at}.md`, text);
    }
    put("memory/z.md", "the needle of the haystack\n");
    const words = "needle haystack zeta alpha beta gamma delta three four five six";
    const search = service.searchMemory(words, 5);
    expect(await heldBy(search)).toBeLessThan(mostMs);
    expect((await search)[0]).toMatchObject({ path: "memory/z.md" });
  }, 60_000);

  it("a folder with a name that no path may have hides nothing else", async () => {
    const { put, root, service } = await rig({ withStore });
    put("memory/a.md", "a needle\n");
    for (const name of ["a\\b", "c\u0001d", " e "]) {
      mkdirSync(join(root, "memory", name));
      writeFileSync(join(root, "memory", name, "x.md"), "one more needle\n");
    }
    put("memory/z/deep.md", "the last needle\n");
    const paths = (await service.searchMemory("needle", 10)).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["memory/a.md", "memory/z/deep.md"]));
  });
});

it("a note that is deleted is gone from the index, too, before anybody searches again", async () => {
  const { host, put, remove, service } = await rig({ withStore: true });
  put("memory/a.md", "a needle\n");
  expect(await service.searchMemory("needle", 1)).toHaveLength(1);
  expect((await remove("/api/memory?path=a.md")).status).toBe(200);
  const rows = () => host.service(storeService).all("SELECT path FROM workspace_notes");
  expect(await rows()).toEqual([]);
  expect(await service.searchMemory("needle", 1)).toEqual([]);
});

describe("remembering", () => {
  it("in a note with many empty lines takes no longer than in another", async () => {
    const { root, service } = await rig();
    await service.remember(`a${"\n".repeat(90_000)}b`, "gaps.md");
    expect(await heldBy(service.remember("c", "gaps.md"))).toBeLessThan(mostMs);
    expect(readFileSync(join(root, "memory/gaps.md"), "utf8")).toBe(`a${"\n".repeat(90_000)}b\nc\n`);
  });

  it("in a file that is no UTF-8 text is refused, and the file stays as it was", async () => {
    const { put, root, service } = await rig();
    const bytes = Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a]);
    put("memory/old.md", bytes);
    await expect(service.remember("more", "old.md")).rejects.toMatchObject({ code: "FILE_BINARY", status: 400 });
    expect(readFileSync(join(root, "memory/old.md")).equals(bytes)).toBe(true);
  });
});

it("one memory of very many that were asked for is still followed", async () => {
  const { put, service } = await rig({ withStore: true });
  const named = (at: number) => service.searchMemory("needle", 1, `agent-${at}`);
  for (let at = 0; at < 200; at += 1) expect(await named(at)).toEqual([]);
  put("agents/agent-3/memory/a.md", "a needle\n");
  put("agents/agent-199/memory/a.md", "a needle\n");
  expect(await named(3)).toMatchObject([{ path: "agents/agent-3/memory/a.md" }]);
  await until(async () => (await named(199)).length === 1);
});
