/** A disk that is full under the workspace: nothing is half there, the answer says why, and with room it goes on. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { disks } from "../../faults/disks.ts";
import type { RunningGateway } from "../../kit/gateway.ts";
import { until } from "../../kit/until.ts";
import { filesBelow } from "./kit.ts";

const upload = (gateway: RunningGateway, bytes: number) => {
  const body = new FormData();
  body.set("file", new Blob([new Uint8Array(bytes)]), "f.bin");
  return gateway.fetch("/api/upload", { method: "POST", body });
};
const write = (gateway: RunningGateway, path: string, content: string) =>
  gateway.fetch("/api/workspace_file", { method: "POST", body: JSON.stringify({ path, content }) });

describe.each(disks)("with %s", (_name, make) => {
  it("uploads and writes are refused whole, and what was there stays", { timeout: 60_000 }, async () => {
    const disk = await make();
    const gateway = await disk.start();
    const workspace = join(disk.stateDir, "workspace");
    await until(() => existsSync(join(disk.stateDir, "data/workspace/workspaces.json")));
    expect((await write(gateway, "notes.md", "before")).status).toBe(200);
    disk.fill();
    const files = filesBelow(workspace);
    const refused = await upload(gateway, 2_000_000);
    expect([refused.status, await refused.text()]).toEqual([
      507,
      expect.stringContaining("the upload cannot be stored"),
    ]);
    const overwrite = await write(gateway, "notes.md", "x".repeat(2_000_000));
    expect([overwrite.status, await overwrite.text()]).toEqual([507, expect.stringContaining("nothing was changed")]);
    expect(readFileSync(join(workspace, "notes.md"), "utf8")).toBe("before");
    expect(filesBelow(workspace)).toEqual(files);
    expect(filesBelow(join(disk.stateDir, "data/workspace/uploads"))).toEqual([]);
    expect(readdirSync(join(disk.stateDir, "tmp"))).toEqual([]);
    if (!disk.free()) return;
    expect((await upload(gateway, 100_000)).status).toBe(200);
    expect((await write(gateway, "notes.md", "after")).status).toBe(200);
  });
});
