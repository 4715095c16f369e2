/** What is put in a picture's place between the look at it and the reading of it never reaches a model, and holds no turn up. */
import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { contentText, type Message, type Workspace } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { withImages } from "../../../plugins/chat/agent/prompt/images.ts";
import { tempDir } from "../../kit/temp.ts";
import { rig } from "../workspace/kit.ts";

const png = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(64, 7)]);
const secret = Buffer.concat([png, Buffer.from("secret of another folder")]);
const asks: Message = { role: "user", content: "look [file: pics/cat.png]" };

/** Does `swap` right after the workspace has looked at the file. */
function swapping(service: Workspace, swap: () => void): Workspace {
  return {
    ...service,
    attachment: async (ref) => {
      const found = await service.attachment(ref);
      swap();
      return found;
    },
  };
}

async function folder() {
  const { service, root, put } = await rig();
  put("pics/cat.png", png);
  const outside = tempDir("outside");
  writeFileSync(join(outside, "cat.png"), secret);
  const cat = join(root, "pics/cat.png");
  const shown = async (swap: () => void) => (await withImages([asks], swapping(service, swap)))[0]?.content;
  return { root, outside, cat, shown };
}

describe("a picture", () => {
  it("is shown as it is", async () => {
    const { shown } = await folder();
    expect(await shown(() => {})).toEqual([
      { type: "text", text: contentText(asks.content) },
      { type: "image", url: `data:image/png;base64,${png.toString("base64")}` },
    ]);
  });

  it("that became a link elsewhere stays a name, and so does one whose folder did", async () => {
    const { root, outside, cat, shown } = await folder();
    const linked = await shown(() => {
      rmSync(cat);
      symlinkSync(join(outside, "cat.png"), cat);
    });
    expect(linked).toBe(asks.content);
    rmSync(cat);
    writeFileSync(cat, png);
    const moved = await shown(() => {
      renameSync(join(root, "pics"), join(root, "old"));
      symlinkSync(outside, join(root, "pics"));
    });
    expect(moved).toBe(asks.content);
  });

  it.runIf(process.platform !== "win32")("that became a pipe, a folder or nothing stays a name at once", async () => {
    const { cat, shown } = await folder();
    const puts = [() => execFileSync("mkfifo", [cat]), () => mkdirSync(cat), () => {}];
    for (const put of puts) {
      expect(
        await shown(() => {
          rmSync(cat);
          put();
        }),
      ).toBe(asks.content);
      rmSync(cat, { recursive: true, force: true });
      writeFileSync(cat, png);
    }
  });

  it("is looked for a bounded number of times, however many names there are", async () => {
    const { service } = await rig();
    let looks = 0;
    const page: Message = { role: "tool", content: "[file: x.png]".repeat(5_000), toolCallId: "1" };
    expect(
      await withImages(
        [asks, page],
        swapping(service, () => void looks++),
      ),
    ).toEqual([asks, page]);
    expect(looks).toBe(100);
  });

  it("that grew too large stays a name", async () => {
    const { cat, shown } = await folder();
    expect(await shown(() => writeFileSync(cat, Buffer.alloc(9 * 1024 * 1024)))).toBe(asks.content);
  });
});
