/** The tree of Markdown files, and deleting one of them only as it was read. */
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tempDir } from "../../kit/temp.ts";
import { type Rig, rig } from "./kit.ts";

interface Listed {
  readonly root: string;
  readonly documents: readonly string[];
  readonly files: readonly {
    readonly path: string;
    readonly kind: string;
    readonly size: number;
    readonly modifiedAt: number;
  }[];
  readonly truncated: boolean;
}

const reader = { id: "t", name: "t", kind: "internal", scopes: ["read"] } as const;

const list = ({ host }: Rig) =>
  host.gateway.call(
    "workspace.files",
    {},
    {
      identity: reader,
      id: "1",
      signal: new AbortController().signal,
    },
  ) as Promise<Listed>;

it("workspace.files lists the Markdown files with their kind, and nothing that is hidden, installed or elsewhere", async () => {
  const started = await rig();
  expect(await list(started)).toMatchObject({ root: started.root, files: [], truncated: false });
  const outside = tempDir("outside");
  for (const [path, content] of [
    ["AGENTS.md", "rules"],
    ["MEMORY.md", "m"],
    ["memory/2026-11-21.md", "day"],
    ["agents/ada/memory/x.md", "x"],
    ["agents/ada/AGENTS.md", "own"],
    ["notes/deep/a.MD", "a"],
    ["notes/b.markdown", "b"],
    ["notes/plan.txt", "no"],
    [".git/c.md", "no"],
    ["web/node_modules/d/README.md", "no"],
  ] as const)
    started.put(path, content);
  mkdirSync(join(started.root, "folder.md"));
  symlinkSync(outside, join(started.root, "away"));
  symlinkSync("/etc/hostname", join(started.root, "host.md"));
  const { files, documents } = await list(started);
  expect(files.map(({ path, kind }) => [path, kind])).toEqual([
    ["AGENTS.md", "document"],
    ["MEMORY.md", "memory"],
    ["agents/ada/AGENTS.md", "file"],
    ["agents/ada/memory/x.md", "memory"],
    ["memory/2026-11-21.md", "memory"],
    ["notes/b.markdown", "file"],
    ["notes/deep/a.MD", "file"],
  ]);
  expect(files[0]).toMatchObject({ size: 5, modifiedAt: expect.any(Number) as unknown });
  expect(documents).toContain("SOUL.md");
});

it("workspace.files lists so many and says that there are more", async () => {
  const started = await rig();
  for (let n = 0; n < 2_001; n += 1) started.put(`many/${n}.md`, "");
  const { files, truncated } = await list(started);
  expect([files.length, truncated]).toEqual([2_000, true]);
});

it("deletes a file of the workspace, in the version that was read", async () => {
  const started = await rig();
  const { host, root } = started;
  started.put("notes/a.md", "one");
  const read = (await started.get("/api/workspace_file?path=notes/a.md")).json() as { hash: string };
  started.put("notes/a.md", "two");
  const remove = (path: string, headers = {}) =>
    host.request(`/api/workspace_file?path=${path}`, { method: "DELETE", headers });
  expect((await remove("notes/a.md", { "if-match": `"${read.hash}"` })).status).toBe(409);
  expect(existsSync(join(root, "notes/a.md"))).toBe(true);
  expect((await remove("notes/a.md")).json()).toEqual({ ok: true, deleted: true, path: "notes/a.md" });
  expect(existsSync(join(root, "notes/a.md"))).toBe(false);
  expect((await remove("notes/a.md")).status).toBe(404);
  for (const path of ["notes", "../x.md", ""]) expect((await remove(path)).status, path).toBe(400);
});
