/** What other plugins ask of the workspace: bytes kept as uploads, lists of texts, and word of changes. */
import { readFileSync } from "node:fs";
import { events } from "@chela/sdk";
import { expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { rig } from "./kit.ts";

const png = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(64, 7)]);

it("keeps bytes as an upload under a safe name, its type told by the content", async () => {
  const { service, get } = await rig();
  const kept = await service.keep("../a]b\n.png", png);
  expect(kept).toMatchObject({ name: "a_b_.png", type: "image/png", size: png.length });
  expect(readFileSync(kept.path)).toEqual(png);
  expect(await service.attachment(kept.path)).toMatchObject({ path: kept.path, type: "image/png" });
  expect((await service.keep("picture.png", Buffer.from("<html>"))).type).toBe("text/plain");
  const { count, bytes } = (await get("/api/upload")).json() as { count: number; bytes: number };
  expect({ count, bytes }).toEqual({ count: 2, bytes: png.length + 6 });
});

it("keeps no more than uploads may take, together with those of people", async () => {
  const { service } = await rig({ settings: { uploads: { max_mb: 1, quota_mb: 2, max_count: 3 } } });
  await expect(service.keep("big", Buffer.alloc(1_048_577))).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 4 }, () => service.keep("x", Buffer.alloc(1_000_000))),
  );
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
  await service.keep("y", Buffer.alloc(10));
  await expect(service.keep("z", Buffer.alloc(10))).rejects.toMatchObject({ code: "UPLOAD_QUOTA", status: 507 });
});

it("lists the documents and the notes that are there, and nothing else", async () => {
  const { service, put } = await rig();
  expect(await service.list("documents")).toEqual([]);
  expect(await service.list("memory")).toEqual([]);
  for (const path of ["SOUL.md", "AGENTS.md", "MEMORY.md", "other.md", "memory/2026-11-21.md", "memory/a/b.md"])
    put(path, "text");
  put("memory/picture.png", png);
  put("agents/ann/memory/own.md", "hers");
  const paths = async (what: "documents" | "memory") => (await service.list(what)).map(({ path }) => path).sort();
  expect(await paths("documents")).toEqual(["AGENTS.md", "MEMORY.md", "SOUL.md"]);
  expect(await paths("memory")).toEqual(["memory/2026-11-21.md", "memory/a/b.md"]);
  expect((await service.list("documents"))[0]).toMatchObject({ size: 4, modifiedAt: expect.any(Number) });
});

it("tells of changes, its own and those by hand, many at a time", async () => {
  const { host, service, put } = await rig();
  const told = () =>
    host
      .service(events)
      .since(0)
      .events.filter(({ type }) => type === "workspace_changed")
      .map(({ payload }) => payload.paths);
  await service.write("notes/else.md", "not listed");
  await Promise.all([service.write("SOUL.md", "one"), service.remember("two"), service.remember("three", "people.md")]);
  const paths = await until(() => told()[0] as string[]);
  expect([...paths].sort()).toEqual(
    ["SOUL.md", expect.stringMatching(/^memory\/\d{4}-\d\d-\d\d\.md$/), "memory/people.md"].sort(),
  );
  expect(told()).toHaveLength(1);
  put("USER.md", "by hand");
  await until(() => told().flat().includes("USER.md"));
});
