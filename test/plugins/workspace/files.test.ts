/** Files of the workspace over HTTP: versions, sizes, bytes that are no text, races with links, names that are no names. */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rig } from "./kit.ts";

interface Shown {
  readonly content: string;
  readonly hash: string;
  readonly size: number;
  readonly modified_at: number;
  readonly binary?: boolean;
  readonly encoding?: string;
}

describe("versions", () => {
  it.each([
    ["/api/workspace_file", "/api/workspace_file?path=a.md"],
    ["/api/memory", "/api/memory?path=a.md"],
  ])("%s tells hash, size and time, and writes only over the version that was read", async (write, read) => {
    const { get, post } = await rig();
    const made = await post(write, { path: "a.md", content: "one" });
    const first = (await get(read)).json() as Shown;
    expect(first).toMatchObject({ content: "one", size: 3, hash: (made.json() as Shown).hash });
    expect(first.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(Math.abs(first.modified_at - Date.now())).toBeLessThan(60_000);
    expect((await get(read)).headers.etag).toBe(`"${first.hash}"`);
    const saved = await post(write, { path: "a.md", content: "two" }, { "if-match": `"${first.hash}"` });
    expect(saved.status).toBe(200);
    for (const headers of [{ "if-match": `"${first.hash}"` }, undefined]) {
      const body = { path: "a.md", content: "mine", ...(headers === undefined && { base_hash: first.hash }) };
      const late = await post(write, body, headers);
      expect(late.status).toBe(409);
      const { hash } = (await get(read)).json() as Shown;
      expect(late.json()).toMatchObject({ ok: false, code: "FILE_CHANGED", hash });
    }
    expect(((await get(read)).json() as Shown).content).toBe("two");
    expect((await post(write, { path: "a.md", content: "three" }, { "if-none-match": "*" })).status).toBe(409);
    expect((await post(write, { path: "b.md", content: "new" }, { "if-none-match": "*" })).status).toBe(200);
    expect((await post(write, { path: "c.md", content: "x", base_hash: first.hash })).status).toBe(409);
    expect((await post(write, { path: "c.md", content: "x" }, { "if-match": "*" })).status).toBe(409);
    expect((await post(write, { path: "b.md", content: "x" }, { "if-match": "*" })).status).toBe(200);
  });

  it("are held by whoever has the file alone, as the tools do, also by another path; other files do not wait", async () => {
    const { get, post, put, root, service } = await rig();
    put("notes/a.md", "read");
    symlinkSync(join(root, "notes"), join(root, "link"));
    let end = () => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    const alone = service.alone("link/a.md", async () => {
      await held;
      writeFileSync(join(root, "notes/a.md"), "edited");
    });
    const { hash } = (await get("/api/workspace_file?path=notes/a.md")).json() as Shown;
    const late = post("/api/workspace_file", { path: "notes/a.md", content: "lost", base_hash: hash });
    expect((await post("/api/workspace_file", { path: "notes/b.md", content: "other" })).status).toBe(200);
    end();
    await alone;
    expect([(await late).status, readFileSync(join(root, "notes/a.md"), "utf8")]).toEqual([409, "edited"]);
  });

  it("of twenty writers with the same version one wins", async () => {
    const { get, post } = await rig();
    const { hash } = (await post("/api/workspace_file", { path: "a.md", content: "0" })).json() as Shown;
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        post("/api/workspace_file", { path: "a.md", content: `w${i}`, base_hash: hash }),
      ),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 409)).toHaveLength(19);
    const winner = replies.findIndex(({ status }) => status === 200);
    expect(((await get("/api/workspace_file?path=a.md")).json() as Shown).content).toBe(`w${winner}`);
  });

  it("MEMORY.md that was read from the root is saved into the folder under the version that was read", async () => {
    const { get, host, post, put } = await rig();
    put("MEMORY.md", "root");
    const { hash } = (await get("/api/memory?path=MEMORY.md")).json() as Shown;
    expect((await post("/api/memory", { path: "MEMORY.md", content: "new", base_hash: hash })).status).toBe(200);
    expect(((await get("/api/memory?path=MEMORY.md")).json() as Shown).content).toBe("new");
    const stale = await host.request("/api/memory?path=MEMORY.md", {
      method: "DELETE",
      headers: { "if-match": `"${hash}"` },
    });
    expect(stale.status).toBe(409);
  });
});

describe("content", () => {
  it("that is no text is shown as such, whole as base64, and written back unharmed", async () => {
    const { get, post, put, root } = await rig();
    const bytes = Buffer.from([0x89, 0x50, 0xff, 0x00, 0x0a]);
    put("pic.bin", bytes);
    const shown = (await get("/api/workspace_file?path=pic.bin")).json() as Shown;
    expect(shown).toMatchObject({ binary: true, size: 5 });
    const whole = (await get("/api/workspace_file?path=pic.bin&encoding=base64")).json() as Shown;
    expect(Buffer.from(whole.content, "base64").equals(bytes)).toBe(true);
    await post("/api/workspace_file", { path: "copy.bin", content: whole.content, encoding: "base64" });
    expect(readFileSync(join(root, "copy.bin")).equals(bytes)).toBe(true);
    expect((await post("/api/workspace_file", { path: "x", content: "", encoding: "rot13" })).status).toBe(400);
  });

  it("has at most 4 MiB, both ways", async () => {
    const { get, post, put } = await rig();
    put("large.txt", "x".repeat(4_194_305));
    expect((await get("/api/workspace_file?path=large.txt")).status).toBe(413);
    expect((await post("/api/workspace_file", { path: "large.txt", content: "small again" })).status).toBe(200);
    expect((await post("/api/workspace_file", { path: "new.txt", content: "x".repeat(4_194_305) })).status).toBe(413);
    expect((await post("/api/workspace_file", { path: "new.txt", content: "é".repeat(2_097_153) })).status).toBe(413);
    expect((await post("/api/workspace_file", { path: "new.txt", content: "x".repeat(4_194_304) })).status).toBe(200);
  });

  it("the list of the memory is bounded and says so", async () => {
    const { get, put, root } = await rig();
    put("memory/0.md", "");
    for (let i = 1; i <= 2_050; i += 1) writeFileSync(join(root, `memory/${i}.md`), "");
    const list = (await get("/api/memory")).json() as { files: string[]; truncated: boolean };
    expect([list.files.length, list.truncated]).toEqual([2_000, true]);
  });
});

describe("paths", () => {
  it("names that some system would read otherwise", async () => {
    const { get, post } = await rig();
    const bad = [
      "a\0.md",
      "..\\x.md",
      "C:/x.md",
      "c:x.md",
      "..foo",
      "../..",
      "./..",
      "a/../..",
      " .. ",
      "/",
      "//x",
      "x".repeat(5000),
    ];
    for (const path of bad) {
      const reply = await post("/api/workspace_file", { path, content: "x" });
      expect([path.slice(0, 20), reply.status, reply.text]).toEqual([path.slice(0, 20), 400, "invalid path\n"]);
    }
    for (const path of ["trailing.", "with space.md", "üñí.md", "-rf", "a/..b/../c.md", ".hidden", "名前.md"]) {
      const reply = await post("/api/workspace_file", { path, content: path });
      expect([path, reply.status]).toEqual([path, 200]);
      const back = (await get(`/api/workspace_file?path=${encodeURIComponent(path)}`)).json();
      if (path !== "a/..b/../c.md") expect(back).toMatchObject({ found: true, content: path });
    }
  });

  it("a link swapped in between check and use never lets anything out or in", async () => {
    const { get, host, post, root } = await rig();
    const outside = join(host.stateDir, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "f.txt"), "secret");
    mkdirSync(join(root, "d"), { recursive: true });
    writeFileSync(join(root, "d/f.txt"), "inside");
    const place = join(root, "d");
    // A write that comes in between makes the folder anew.
    const insist = (work: () => void) => {
      for (;;) {
        rmSync(place, { recursive: true, force: true });
        try {
          return work();
        } catch (error) {
          if (!/EEXIST|ENOTEMPTY/.test(String(error))) throw error;
        }
      }
    };
    let going = true;
    const swapping = (async () => {
      while (going) {
        renameSync(place, join(root, "d2"));
        insist(() => symlinkSync(outside, place));
        await new Promise((resolve) => setImmediate(resolve));
        insist(() => renameSync(join(root, "d2"), place));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let i = 0; i < 150; i += 1) {
      const [read] = await Promise.all([
        get("/api/workspace_file?path=d/f.txt"),
        post("/api/workspace_file", { path: "d/g.txt", content: "mine" }),
      ]);
      expect(read.text).not.toContain("secret");
    }
    going = false;
    await swapping;
    expect(readFileSync(join(outside, "f.txt"), "utf8")).toBe("secret");
    expect(() => readFileSync(join(outside, "g.txt"))).toThrow("ENOENT");
  });

  it("a workspace that goes away is made again by the next write", async () => {
    const { get, post, put, root } = await rig();
    put("a.md", "x");
    rmSync(root, { recursive: true });
    expect((await get("/api/workspace_file?path=a.md")).json()).toMatchObject({ found: false });
    expect((await get("/api/workspace_docs")).json()).toMatchObject({ files: [] });
    expect((await post("/api/workspace_file", { path: "a.md", content: "again" })).status).toBe(200);
    expect(readFileSync(join(root, "a.md"), "utf8")).toBe("again");
  });

  it("an agent's own memory over HTTP: ?agent=", async () => {
    const { get, host } = await rig();
    const body = { path: "n.md", content: "red" };
    expect((await host.request("/api/memory?agent=red", { method: "POST", body })).status).toBe(200);
    expect((await get("/api/memory?agent=red")).json()).toMatchObject({ files: ["n.md"] });
    expect((await get("/api/memory")).json()).toMatchObject({ files: [] });
    expect((await get("/api/memory?agent=../..&path=n.md")).status).toBe(500);
  });
});
