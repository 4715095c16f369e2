/** What prompts begin with is kept for a moment only, and never longer than it is true. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WorkspaceDocument } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { PromptMemo } from "../../../plugins/workspace/documents/prompt-memo.ts";
import { until } from "../../kit/until.ts";
import { rig } from "./kit.ts";

const texts = (documents: readonly WorkspaceDocument[]) => documents.map(({ content }) => content);

describe("documents and memory", () => {
  it("are the same list while nothing changes, and at once another one when something was written here", async () => {
    const { service } = await rig();
    await service.write("USER.md", "Ada");
    await service.documents();
    const [first, again] = [await service.documents(), await service.documents()];
    expect(again).toBe(first);
    for (let round = 1; round <= 20; round++) {
      await service.write("USER.md", `Ada ${round}`);
      expect(texts(await service.documents())).toEqual([`Ada ${round}`]);
      await service.remember(`note ${round}`, "MEMORY.md");
      expect(texts(await service.recall()).join()).toContain(`note ${round}`);
    }
    await service.write("agents/scout/USER.md", "Grace");
    expect(texts(await service.documents("scout"))).toEqual(["Grace"]);
    expect(texts(await service.documents())).toEqual(["Ada 20"]);
  });

  it("over HTTP: written and deleted", async () => {
    const { service, post, remove } = await rig();
    await service.documents();
    await service.recall();
    expect((await post("/api/memory", { path: "MEMORY.md", content: "kept" })).status).toBe(200);
    expect(texts(await service.recall())).toEqual(["kept"]);
    expect((await remove("/api/memory?path=MEMORY.md")).status).toBe(200);
    expect(texts(await service.recall())).toEqual([]);
  });

  it("follow what others do to the files", async () => {
    const { service, root } = await rig();
    await service.write("USER.md", "Ada");
    expect(texts(await service.documents())).toEqual(["Ada"]);
    writeFileSync(join(root, "USER.md"), "Grace Hopper");
    await until(async () => texts(await service.documents())[0] === "Grace Hopper", 10_000);
    rmSync(join(root, "USER.md"));
    await until(async () => (await service.documents()).length === 0, 10_000);
  });

  it("follow the settings", async () => {
    const { service, host } = await rig();
    await service.write("USER.md", "x".repeat(5_000));
    expect(texts(await service.documents())[0]).toHaveLength(5_000);
    await host.config.write([{ path: "workspace.prompt.doc_chars", value: 1_000 }], { who: "test" });
    expect(texts(await service.documents())[0]?.length).toBeLessThan(2_000);
  });
});

it("a list that could not be made is made again", async () => {
  let fail = true;
  const memo = new PromptMemo(
    () => [],
    async () => {
      if (fail) throw new Error("the disk is away");
      return [];
    },
  );
  await expect(memo.get(undefined)).rejects.toThrow("away");
  fail = false;
  expect(await memo.get(undefined)).toEqual([]);
});
