/** Uploads: kept under names that are harmless, within limits that hold for many at once, gone when they are old or were never whole. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import type { TestHost, TestReply } from "@chela/sdk/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { fileType } from "../../../plugins/workspace/uploads/file-type.ts";
import { attachmentHeader, safeFileName } from "../../../plugins/workspace/uploads/names.ts";
import { UploadFolder } from "../../../plugins/workspace/uploads/upload-folder.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";
import { filesBelow, form, rig } from "./kit.ts";

interface Taken {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly url: string;
}

const upload = async (host: TestHost, content: string | Uint8Array, options = {}): Promise<Taken> => {
  const reply = await host.request("/api/upload", form(content, options));
  expect(reply.status, reply.text).toBe(200);
  return reply.json() as Taken;
};
const kept = (host: TestHost) => filesBelow(join(host.stateDir, "data/workspace/uploads"));
const waiting = (host: TestHost) =>
  existsSync(join(host.stateDir, "tmp")) ? readdirSync(join(host.stateDir, "tmp")) : [];
const code = (reply: TestReply) =>
  reply.headers["content-type"] === "application/json" ? (reply.json() as { code: string }).code : reply.text;

describe("an upload", () => {
  it("is kept for its owner only, tells what it is by its content, and comes back as a download", async () => {
    const { host } = await rig({ port: 0 });
    const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
    const taken = await upload(host, png, { name: "картина 1.html", type: "text/html" });
    expect(taken).toMatchObject({
      name: "картина 1.html",
      size: 16,
      type: "image/png",
      url: `/api/upload/${taken.id}`,
    });
    expect(statSync(taken.path).mode & 0o777).toBe(0o600);
    expect(statSync(join(taken.path, "..")).mode & 0o777).toBe(0o700);
    const back = await fetchRaw(host, taken.url);
    expect(back.body.equals(png)).toBe(true);
    expect(back.headers).toMatchObject({
      "content-type": "image/png",
      "content-length": "16",
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'",
    });
    expect(back.headers["content-disposition"]).toBe(
      `attachment; filename="_______ 1.html"; filename*=UTF-8''${encodeURIComponent("картина 1.html")}`,
    );
    expect((await host.request(taken.url, { token: null })).status).toBe(401);
    for (const id of ["x", "..%2f..%2fconfig.json", "0".repeat(32), `${taken.id}%00`]) {
      expect([400, 404], id).toContain((await host.request(`/api/upload/${id}`)).status);
    }
  });

  it("of a page is never a page of ours", async () => {
    const { host } = await rig();
    const { url, type } = await upload(host, "<script>alert(1)</script>", { name: "x.html" });
    expect(type).toBe("text/html");
    const back = await host.request(url);
    expect(back.headers["content-disposition"]).toMatch(/^attachment;/);
    expect(back.headers["content-security-policy"]).toContain("sandbox");
  });

  it("an empty one, and one of two MB, whole", async () => {
    const { host } = await rig({ port: 0 });
    const bytes = Buffer.alloc(2_000_000, "0123456789");
    for (const content of [Buffer.alloc(0), bytes]) {
      const { url, path } = await upload(host, content, { name: "f.bin" });
      expect(readFileSync(path).equals(content)).toBe(true);
      expect((await fetchRaw(host, url)).body.equals(content)).toBe(true);
    }
  });

  it("is listed, and deleted once", async () => {
    const { host } = await rig();
    const { id, url } = await upload(host, "x", { name: "a.txt" });
    const list = (await host.request("/api/upload")).json();
    expect(list).toMatchObject({ ok: true, count: 1, bytes: 1, uploads: [{ id, name: "a.txt", size: 1 }] });
    expect((await host.request(url, { method: "DELETE" })).json()).toEqual({ ok: true, deleted: true, id });
    expect((await host.request(url, { method: "DELETE" })).status).toBe(404);
    expect((await host.request(url)).status).toBe(404);
    expect(kept(host)).toEqual([]);
  });

  it("S-69 is what arrived as a file, never what a body says of itself", async () => {
    const { host } = await rig();
    writeFileSync(join(host.stateDir, "secret"), "secret");
    const lie = {
      field: "file",
      name: "x",
      size: 6,
      path: join(host.stateDir, "secret"),
      filepath: join(host.stateDir, "secret"),
    };
    for (const body of [{ files: [lie], file: lie }, [lie], { file: [lie] }]) {
      const reply = await host.request("/api/upload", { body });
      expect([reply.status, reply.text]).toEqual([400, "file required\n"]);
    }
    expect(readFileSync(join(host.stateDir, "secret"), "utf8")).toBe("secret");
    expect(kept(host)).toEqual([]);
  });
});

describe("limits", () => {
  it("of one upload, live: 413, and nothing is left", async () => {
    const { host } = await rig({ settings: { uploads: { max_mb: 1 } } });
    const large = form(Buffer.alloc(1_048_577));
    expect((await host.request("/api/upload", large)).status).toBe(413);
    expect([kept(host), waiting(host)]).toEqual([[], []]);
    await host.config.write([{ path: "workspace.uploads.max_mb", value: 2 }], { who: "test" });
    expect((await host.request("/api/upload", large)).status).toBe(200);
  });

  it("of all together hold for many at once: what fits is taken, the rest is refused", async () => {
    const { host } = await rig({ settings: { uploads: { max_mb: 1, quota_mb: 1 } } });
    const body = form(Buffer.alloc(300_000));
    const replies = await Promise.all(
      Array.from({ length: 12 }, () =>
        host.request("/api/upload", { ...body, headers: { ...body.headers, accept: "application/json" } }),
      ),
    );
    const statuses = replies.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(3).fill(200), ...Array(9).fill(507)]);
    expect(replies.filter(({ status }) => status === 507).map(code)).toEqual(Array(9).fill("UPLOAD_QUOTA"));
    expect(kept(host)).toHaveLength(3);
    await until(() => waiting(host).length === 0);
    const [first] = ((await host.request("/api/upload")).json() as { uploads: { id: string }[] }).uploads;
    await host.request(`/api/upload/${first?.id}`, { method: "DELETE" });
    expect((await host.request("/api/upload", body)).status).toBe(200);
  });

  it("of the number", async () => {
    const { host } = await rig({ settings: { uploads: { max_count: 2 } } });
    await upload(host, "1");
    await upload(host, "2");
    expect((await host.request("/api/upload", form("3"))).status).toBe(507);
  });

  it("an upload that is broken off leaves nothing", async () => {
    const { host } = await rig({ port: 0 });
    const { body, headers } = form(Buffer.alloc(500_000));
    const socket = createConnection(Number(new URL(host.url).port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const head = Object.entries({ ...headers, host: "localhost", authorization: `Bearer ${host.token}` })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
    socket.write(`POST /api/upload HTTP/1.1\r\n${head}\r\n`);
    socket.write(body.subarray(0, 300_000));
    await until(() => waiting(host).length === 1);
    socket.destroy();
    await until(() => waiting(host).length === 0);
    expect((await host.request("/api/upload")).json()).toMatchObject({ count: 0, bytes: 0 });
  });
});

describe("the folder of uploads", () => {
  const day = 86_400_000;
  const limits = { quotaBytes: 1_000_000, maxCount: 100, maxAgeMs: day };
  const put = (folder: string, name: string, size: number) => {
    const path = join(folder, name);
    writeFileSync(path, Buffer.alloc(size));
    return { path, name, size };
  };

  it("knows after a restart what it holds, and forgets what is too old", async () => {
    const [dir, temp] = [tempDir("uploads"), tempDir("temp")];
    const first = new UploadFolder(dir, () => limits);
    const [old, young] = [await first.take(put(temp, "old", 10)), await first.take(put(temp, "young", 20))];
    const long = new Date(Date.now() - 2 * day);
    utimesSync(first.pathOf(old), long, long);
    mkdirSync(join(dir, "f".repeat(32)));
    mkdirSync(join(dir, "e".repeat(32)));
    utimesSync(join(dir, "f".repeat(32)), long, long);
    writeFileSync(join(dir, "stray"), "not ours");
    const second = new UploadFolder(dir, () => limits);
    expect((await second.list()).map(({ size }) => size).sort()).toEqual([10, 20]);
    expect(await second.sweep(Date.now())).toBe(1);
    expect((await second.list()).map(({ id }) => id)).toEqual([young.id]);
    expect(readdirSync(dir).sort()).toEqual(["e".repeat(32), "stray", young.id].sort());
  });

  it("makes room by age before it refuses", async () => {
    const [dir, temp] = [tempDir("uploads"), tempDir("temp")];
    const folder = new UploadFolder(dir, () => ({ ...limits, quotaBytes: 100 }));
    const old = await folder.take(put(temp, "old", 80));
    await expect(folder.take(put(temp, "next", 80))).rejects.toMatchObject({ code: "UPLOAD_QUOTA", status: 507 });
    const long = new Date(Date.now() - 2 * day);
    utimesSync(folder.pathOf(old), long, long);
    expect((await folder.take(put(temp, "next", 80))).name).toBe("next");
    expect(await folder.list()).toHaveLength(1);
  });

  it("a file that cannot be moved in leaves no folder and no reservation", async () => {
    const [dir, temp] = [tempDir("uploads"), tempDir("temp")];
    const folder = new UploadFolder(dir, () => ({ ...limits, quotaBytes: 100 }));
    for (let i = 0; i < 5; i += 1) {
      await expect(folder.take({ path: join(temp, "gone"), name: "gone", size: 90 })).rejects.toMatchObject({
        status: 507,
      });
    }
    expect(readdirSync(dir)).toEqual([]);
    expect((await folder.take(put(temp, "there", 90))).size).toBe(90);
  });
});

describe("[file: …]", () => {
  it("means an upload or a file of the workspace, and nothing else", async () => {
    const { host, put, root, service } = await rig();
    const taken = await upload(host, "%PDF-1.7 …", { name: "a] b.pdf" });
    expect(taken.path).not.toMatch(/[[\]\n]/);
    expect(await service.attachment(taken.path)).toEqual({
      path: taken.path,
      name: "a_ b.pdf",
      type: "application/pdf",
      size: 12,
      isUpload: true,
      read: expect.any(Function),
    });
    put("notes/n.md", "# n");
    const note = {
      path: join(root, "notes/n.md"),
      name: "n.md",
      type: "text/markdown",
      size: 3,
      isUpload: false,
      read: expect.any(Function),
    };
    expect(await service.attachment("notes/n.md")).toEqual(note);
    expect(await service.attachment(join(root, "notes/n.md"))).toEqual(note);
    writeFileSync(join(host.stateDir, "secret"), "secret");
    symlinkSync(join(host.stateDir, "secret"), join(root, "link"));
    const uploads = join(taken.path, "../..");
    writeFileSync(join(uploads, "stray"), "x");
    const elsewhere = [
      "/etc/passwd",
      "../config.json",
      join(host.stateDir, "config.json"),
      `${uploads}/../workspaces.json`,
      join(uploads, "stray"),
      `${taken.path}/../../stray`,
      "link",
      join(root, "link"),
      "notes",
      "",
      "a\0b",
      "file:///etc/passwd",
      "http://127.0.0.1/x",
      "\\\\host\\share",
      "x".repeat(5000),
      "nowhere.txt",
    ];
    for (const ref of elsewhere) expect(await service.attachment(ref), ref.slice(0, 80)).toBeUndefined();
  });
});

describe("names and types", () => {
  it.each([
    ["notes.txt", "notes.txt"],
    ["../../etc/passwd", "passwd"],
    ["C:\\Users\\a\\b.txt", "b.txt"],
    ["a\u0000b\nc.txt", "a_b_c.txt"],
    ["  .hidden. ", "hidden"],
    ["...", "file"],
    ["", "file"],
    ["con.txt", "_con.txt"],
    ["x[1]:2*3?.md", "x_1__2_3_.md"],
    ["\u202Efdp.exe", "_fdp.exe"],
    ["報告書.pdf", "報告書.pdf"],
  ])("%j is kept as %j", (sent, name) => expect(safeFileName(sent)).toBe(name));

  it("a long name keeps its extension and fits", () => {
    const name = safeFileName(`${"報".repeat(300)}.tar.gz`);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(180);
    expect(name.endsWith("報.gz") || name.endsWith(".tar.gz")).toBe(true);
    expect(attachmentHeader(`a"b\\c%d'e.txt`)).toBe(
      `attachment; filename="a_b_c_d'e.txt"; filename*=UTF-8''a%22b%5Cc%25d%27e.txt`,
    );
  });

  it.each([
    ["ffd8ffe000104a464946", "x.png", "image/jpeg"],
    ["474946383961", "x", "image/gif"],
    ["524946460000000057454250", "x", "image/webp"],
    ["00000020667479706d703432", "x", "video/mp4"],
    ["504b0304", "x.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
    ["504b0304", "x.zip", "application/zip"],
    ["68656c6c6f", "x.csv", "text/csv"],
    ["68656c6c6f", "x.png", "text/plain"],
    ["3c7376673e", "x.svg", "image/svg+xml"],
    ["00010203", "x.txt", "application/octet-stream"],
    ["", "x.md", "text/markdown"],
  ])("%s called %s is %s", (hex, name, type) => expect(fileType(Buffer.from(hex, "hex"), name)).toBe(type));
});

async function fetchRaw(host: TestHost, path: string): Promise<{ body: Buffer; headers: Record<string, string> }> {
  const reply = await fetch(`${host.url}${path}`, { headers: { authorization: `Bearer ${host.token}` } });
  return { body: Buffer.from(await reply.arrayBuffer()), headers: Object.fromEntries(reply.headers) };
}

describe("many hands at once", () => {
  const limits = () => ({ quotaBytes: 1_000, maxCount: 100, maxAgeMs: 0 });
  const bytes = (size: number) => new Uint8Array(size);

  it("what is being taken in is counted once, also when the disk is looked at meanwhile", async () => {
    const folder = new UploadFolder(tempDir("uploads"), limits);
    const looking = new AbortController();
    const looks = (async () => {
      while (!looking.signal.aborted) await folder.sweep(Date.now());
    })();
    for (let round = 0; round < 40; round += 1) {
      const kept = await Promise.all([400, 300, 300].map((size, at) => folder.keep(`${at}.bin`, bytes(size))));
      await Promise.all(kept.map(({ id }) => folder.remove(id)));
      expect(await folder.list()).toEqual([]);
    }
    looking.abort();
    await looks;
  });

  it("a name that is hard to read is read at once", () => {
    const from = process.cpuUsage().user;
    expect(safeFileName(`x${".".repeat(200_000)}y`)).toMatch(/^x\.{179}$|^x\.+/);
    expect(safeFileName(`${"x".repeat(200_000)}.txt`)).toBe(`${"x".repeat(176)}.txt`);
    expect(process.cpuUsage().user - from).toBeLessThan(1_000_000);
  });
});
