/** Tools as models use them: wrong arguments, odd files, files that change meanwhile, programs that end badly, answers that come late. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { tools as toolsService } from "@chela/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { attended, attending, live, next, start } from "./asking.ts";
import { admin, type Bench, bench } from "./kit.ts";

let b: Bench;
beforeAll(async () => {
  b = await bench();
});
afterAll(() => b[Symbol.asyncDispose]());

const put = (path: string, content: string | Uint8Array) => writeFileSync(join(b.root, path), content);
const text = (path: string) => readFileSync(join(b.root, path), "utf8");
const noFaults = () => expect(b.host.logs().filter(({ level }) => level === "ERROR")).toEqual([]);

describe("arguments", () => {
  const raw = (name: string, given: string) => {
    const signal = new AbortController().signal;
    const turn = { id: "raw", session: "main", agent: "main", identity: admin, signal };
    return b.host.service(toolsService).run({ id: `raw-${name}`, name, arguments: given }, turn);
  };

  it("that are no JSON object are refused in words that help, whatever the tool", async () => {
    for (const name of b.names()) {
      for (const given of ["", "{", "[]", "7", "null", '"text"', '{"path": ', "not json", "{}{}"]) {
        const { ok, output } = await raw(name, given);
        if (ok) expect([name, given]).toEqual([name, given === "" ? given : "refused"]);
        else expect(output.length, `${name} ${given}`).toBeGreaterThan(10);
      }
    }
    noFaults();
  });

  it("of every wrong kind are refused with the name of what is wrong, and run nothing", async () => {
    const wrong: readonly (readonly [tool: string, input: object, names: RegExp])[] = [
      ["read_file", {}, /path/],
      ["read_file", { path: 7 }, /path/],
      ["read_file", { path: "" }, /path/],
      ["read_file", { path: "a", offset: 0 }, /offset/],
      ["read_file", { path: "a", limit: 1e9 }, /limit/],
      ["write_file", { path: "a" }, /content/],
      ["write_file", { path: "a", content: { a: 1 } }, /content/],
      ["edit_file", { path: "a", edits: [{ old_text: "x" }] }, /new_text/],
      [
        "edit_file",
        { path: "a", edits: Array.from({ length: 101 }, () => ({ old_text: "a", new_text: "b" })) },
        /edits/,
      ],
      ["list_dir", { path: "x".repeat(5_000) }, /path/],
      ["exec", { args: ["-l"] }, /command/],
      ["exec", { command: "ls", args: [1, { a: 2 }] }, /args/],
      ["exec", { command: "  " }, /command is empty/],
      ["exec", { command: "ls", args: ["-l"], shell: true }, /no args/],
      ["exec", { command: "sleep 1", timeout_sec: 0 }, /timeout_sec/],
      ["process", { action: "destroy" }, /action/],
      ["process", { action: "read", id: "p999" }, /there is no process "p999"/],
      ["process", { action: "read" }, /there is no process/],
      ["memory_search", { query: "" }, /query/],
      ["web_fetch", { url: "x".repeat(5_000) }, /url/],
      ["parallel", { calls: [] }, /calls/],
      ["parallel", { calls: Array.from({ length: 9 }, () => ({ tool: "system_info" })) }, /calls/],
    ];
    for (const [tool, input, names] of wrong)
      expect(await b.fails(tool, input), `${tool} ${JSON.stringify(input)}`.slice(0, 200)).toMatch(names);
    noFaults();
  });

  it("with NUL, only white space, or more than a program can take are no fault", async () => {
    for (const path of ["a\0b", "\0", "  ", "..", "../x", "a/../../x", "/etc/passwd", "~/../x", "a\\b"]) {
      expect((await b.run("read_file", { path })).ok, JSON.stringify(path)).toBe(false);
      expect((await b.run("write_file", { path, content: "x" })).ok, JSON.stringify(path)).toBe(false);
    }
    expect(await b.fails("exec", { command: "echo", args: ["a\0b"] })).toContain("NUL");
    expect(await b.fails("exec", { command: "a\0b" })).toContain("NUL");
    const flood = { command: "echo", args: Array.from({ length: 40 }, () => "x".repeat(99_000)) };
    expect(await b.fails("exec", flood)).toContain("the command line is too long");
    expect(await b.fails("exec", { command: "no-such-program-here", args: [] })).toContain("is it installed");
    expect(await b.fails("exec", { command: "pwd", working_dir: "not/there" })).toContain("make it first");
    noFaults();
  });
});

describe("files of all kinds", () => {
  it("CRLF and a byte order mark are not shown, and stay as they were", async () => {
    put("win.txt", "\ufeffone\r\ntwo\r\nthree\r\n");
    expect(await b.ok("read_file", { path: "win.txt" })).toBe("one\ntwo\nthree");
    await b.ok("edit_file", { path: "win.txt", old_text: "one\ntwo", new_text: "1\n2\n2.5" });
    await b.ok("write_file", { path: "win.txt", content: "four\r\n", append: true });
    expect(text("win.txt")).toBe("\ufeff1\r\n2\r\n2.5\r\nthree\r\nfour\r\n");
    put("old-mac.txt", "one\rtwo\r");
    expect(await b.ok("read_file", { path: "old-mac.txt" })).toContain("one");
    put("mixed.txt", "a\r\nb\nc\r\n");
    await b.ok("edit_file", { path: "mixed.txt", old_text: "b\n", new_text: "B\n" });
    expect(text("mixed.txt")).toBe("a\r\nB\nc\r\n");
  });

  it("UTF-16 is read and not edited; bytes that are no text are neither", async () => {
    put("utf16.txt", Buffer.from("\ufeffhé 你好\n", "utf16le"));
    expect(await b.ok("read_file", { path: "utf16.txt" })).toBe("hé 你好");
    expect(await b.fails("edit_file", { path: "utf16.txt", old_text: "h", new_text: "H" })).toContain("no UTF-8 text");
    expect(await b.fails("write_file", { path: "utf16.txt", content: "x", append: true })).toContain("no UTF-8 text");
    put("latin1.txt", Buffer.from([0x63, 0x61, 0x66, 0xe9]));
    for (const tool of ["read_file", "edit_file"])
      expect(await b.fails(tool, { path: "latin1.txt", old_text: "c", new_text: "C" })).toMatch(/no (UTF-8 )?text/);
    expect(await b.fails("write_file", { path: "latin1.txt", content: "x", append: true })).toContain("no UTF-8 text");
    expect(readFileSync(join(b.root, "latin1.txt"))).toHaveLength(4);
  });

  it("empty, without a last line end, of one line, past the end", async () => {
    put("empty.txt", "");
    expect(await b.ok("read_file", { path: "empty.txt" })).toBe("empty.txt is empty.");
    expect(await b.fails("edit_file", { path: "empty.txt", old_text: "x", new_text: "y" })).toContain(
      "not in the file",
    );
    put("no-end.txt", "a\nb");
    expect(await b.ok("read_file", { path: "no-end.txt" })).toBe("a\nb");
    await b.ok("edit_file", { path: "no-end.txt", old_text: "b", new_text: "" });
    expect(text("no-end.txt")).toBe("a\n");
    expect(await b.fails("read_file", { path: "no-end.txt", offset: 9 })).toContain("has 1 lines; offset is 9");
  });

  it("links inside the workspace are followed to their file, and hard links and modes stay", async () => {
    put("real.txt", "one\n");
    chmodSync(join(b.root, "real.txt"), 0o640);
    symlinkSync("real.txt", join(b.root, "link.txt"));
    expect(await b.ok("read_file", { path: "link.txt" })).toBe("one");
    await b.ok("edit_file", { path: "link.txt", old_text: "one", new_text: "two" });
    expect(text("real.txt")).toBe("two\n");
    symlinkSync("nowhere.txt", join(b.root, "dangling.txt"));
    for (const [tool, more] of [
      ["read_file", {}],
      ["write_file", { content: "x" }],
    ] as const)
      expect(await b.fails(tool, { path: "dangling.txt", ...more })).toContain("link to nowhere");
    expect(existsSync(join(b.root, "nowhere.txt"))).toBe(false);
    symlinkSync("loop-b", join(b.root, "loop-a"));
    symlinkSync("loop-a", join(b.root, "loop-b"));
    expect(await b.fails("read_file", { path: "loop-a" })).toMatch(/loop/);
    linkSync(join(b.root, "real.txt"), join(b.root, "hard.txt"));
    await b.ok("write_file", { path: "hard.txt", content: "mine\n" });
    expect(text("real.txt")).toBe("two\n");
  });

  it("a folder, or a file where a folder is wanted, is told as what it is", async () => {
    mkdirSync(join(b.root, "folder"));
    put("plain.txt", "x");
    for (const [tool, more] of [
      ["read_file", {}],
      ["write_file", { content: "x" }],
      ["edit_file", { old_text: "a", new_text: "b" }],
    ] as const)
      expect(await b.fails(tool, { path: "folder", ...more }), tool).toContain("is a folder");
    expect(await b.fails("read_file", { path: "plain.txt/deeper" })).toMatch(/no file|no folder/);
    expect(await b.fails("write_file", { path: "plain.txt/deeper", content: "x" })).toMatch(/no folder|ENOTDIR|EEXIST/);
    expect(await b.fails("list_dir", { path: "plain.txt" })).toContain("is no folder");
    expect(text("plain.txt")).toBe("x");
    noFaults();
  });
});

it("before anything was written the workspace is empty, not missing", async () => {
  const one = await start({ config: { tools: {} } });
  rmSync(one.root, { recursive: true });
  expect(await one.ok("list_dir")).toContain("is empty: nothing was written");
  expect(await one.fails("list_dir", { path: "notes" })).toContain("there is no folder");
  for (const [tool, more] of [
    ["read_file", {}],
    ["edit_file", { old_text: "a", new_text: "b" }],
  ] as const)
    expect(await one.fails(tool, { path: "a.txt", ...more })).toContain('there is no file "a.txt"');
  await one.ok("write_file", { path: "a.txt", content: "x" });
  expect(await one.ok("list_dir")).toBe("a.txt  1 B");
});

describe("files that change in between", () => {
  it("a listing goes on where folders come and go", async () => {
    const base = join(b.root, "churn");
    mkdirSync(base);
    put("churn/stays.txt", "x");
    let running = true;
    const churn = async () => {
      for (let turn = 0; running; turn += 1) {
        const folder = join(base, `d${turn % 7}`);
        mkdirSync(join(folder, "deep/er"), { recursive: true });
        await new Promise((resolve) => setImmediate(resolve));
        rmSync(join(base, `d${(turn + 3) % 7}`), { recursive: true, force: true });
      }
    };
    const churning = churn();
    for (let round = 0; round < 60; round += 1)
      expect(await b.ok("list_dir", { path: "churn", recursive: true })).toContain("stays.txt  1 B");
    running = false;
    await churning;
    noFaults();
  });

  it("an edit meets the file as it is now, not as it was read", async () => {
    put("live.txt", "alpha\nbeta\n");
    await b.ok("read_file", { path: "live.txt" });
    put("live.txt", "alpha\nBETA\ngamma\n");
    expect(await b.fails("edit_file", { path: "live.txt", old_text: "beta", new_text: "x" })).toContain(
      "not in the file",
    );
    await b.ok("edit_file", { path: "live.txt", old_text: "gamma", new_text: "delta" });
    expect(text("live.txt")).toBe("alpha\nBETA\ndelta\n");
    unlinkSync(join(b.root, "live.txt"));
    expect(await b.fails("edit_file", { path: "live.txt", old_text: "alpha", new_text: "x" })).toContain(
      "there is no file",
    );
  });

  it("replaced over and over, as editors save, it is read whole every time, never missing and never a mixture", async () => {
    const versions = ["a".repeat(300_000), "b".repeat(200_000), "c".repeat(400_000)];
    const at = join(b.root, "flicker.txt");
    let running = true;
    let turns = 0;
    const flicker = async () => {
      for (; running; turns += 1) {
        const draft = `${at}.${turns % 2}`;
        writeFileSync(draft, versions[turns % 3] as string);
        renameSync(draft, at);
        if (turns % 5 === 0) utimesSync(at, 1, 1);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    writeFileSync(at, versions[0] as string);
    const flickering = flicker();
    for (let round = 0; round < 60; round += 1) {
      const { ok, output } = await b.run("read_file", { path: "flicker.txt" });
      expect([ok, ok ? new Set(output.slice(0, 2_000)).size : output]).toEqual([true, 1]);
    }
    running = false;
    await flickering;
    expect(turns).toBeGreaterThan(10);
    noFaults();
  });

  it("what others add while many append is not lost but for what an editor overwrites", async () => {
    put("log.txt", "");
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    await Promise.all(lines.map((line) => b.ok("write_file", { path: "log.txt", content: `${line}\n`, append: true })));
    appendFileSync(join(b.root, "log.txt"), "by hand\n");
    await b.ok("write_file", { path: "log.txt", content: "last\n", append: true });
    expect(text("log.txt").trim().split("\n").toSorted()).toEqual([...lines, "by hand", "last"].toSorted());
    rmSync(join(b.root, "log.txt"));
    await b.ok("write_file", { path: "log.txt", content: "anew\n", append: true });
    expect(text("log.txt")).toBe("anew\n");
  });
});

describe("programs", () => {
  it("their input is empty, their bytes are shown as text, their ends are told", async () => {
    expect(await b.ok("exec", { command: "cat; echo done" })).toBe("done");
    expect(await b.ok("exec", { command: "printf 'a\\000b\\377\\n'" })).toContain("a");
    expect(await b.ok("exec", { command: "kill -9 $$" })).toContain("[ended by a signal]");
    expect(await b.ok("exec", { command: "exit 3" })).toBe("[exit code 3]");
    expect(await b.ok("exec", { command: "true" })).toMatch(/^\[no output, exit code 0, \d+ ms\]$/);
    expect(await b.ok("exec", { command: "echo out; echo err >&2; exit 1" })).toBe("out\n[stderr]\nerr\n[exit code 1]");
    expect(await b.ok("exec", { command: "sleep 60", timeout_sec: 1 })).toContain("[ended after 1 s: the time was up");
    noFaults();
  });

  it("one that was killed, stopped twice, or asked past its end says so", async () => {
    const started = await b.ok("process", { action: "start", command: "echo ready; exec sleep 300" });
    const id = /Started (p\d+) \(pid (\d+)\)/.exec(started);
    const name = id?.[1] as string;
    await until(async () => (await b.ok("process", { action: "read", id: name, offset: 0 })).includes("ready"));
    expect(await b.ok("process", { action: "read", id: name, offset: 10_000 })).toContain("[nothing new]");
    process.kill(Number(id?.[2]), "SIGKILL");
    await until(async () => (await b.ok("process", { action: "read", id: name })).includes("ended by SIGKILL"));
    expect(await b.fails("process", { action: "write", id: name, content: "x" })).toContain(
      "has ended (ended by SIGKILL)",
    );
    for (let times = 0; times < 2; times += 1)
      expect(await b.ok("process", { action: "stop", id: name })).toContain(`Stopped ${name}`);
    expect(await b.ok("process", { action: "list" })).toContain("ended by SIGKILL");
    const closed = await b.ok("process", { action: "start", command: "exec <&-; echo closed; sleep 300" });
    const deaf = /Started (p\d+)/.exec(closed)?.[1] as string;
    await until(async () => (await b.ok("process", { action: "read", id: deaf, offset: 0 })).includes("closed"));
    for (let times = 0; times < 3; times += 1)
      await b.run("process", { action: "write", id: deaf, content: "hello\n" });
    await b.ok("process", { action: "stop", id: deaf });
    noFaults();
  });
});

describe("a decision", () => {
  it("counts once: the second of the same person, and of another, comes too late", async () => {
    const one = await start();
    const [first, second] = [await live(one), await live(one)];
    await attending(one, 2);
    const running = one.run("exec", { command: "echo once >> ran.txt" });
    const { id, hash } = await next(first);
    await next(second);
    first.send({ id, hash, decision: "allow" });
    first.send({ id, hash, decision: "allow" });
    second.send({ id, hash, decision: "deny" });
    expect((await running).ok).toBe(true);
    const told = [await next(first), await next(first)].map(({ type }) => type).toSorted();
    expect(told).toEqual(["approval_error", "approval_resolved"]);
    const others = [await next(second), await next(second)].map(({ type }) => type).toSorted();
    expect(others).toEqual(["approval_error", "approval_resolved"]);
    expect(readFileSync(join(one.root, "ran.txt"), "utf8")).toBe("once\n");
    const late = await one.host.request(`/api/approvals/${id}`, { body: { hash, decision: "allow" } });
    expect([late.status, late.text]).toEqual([404, expect.stringContaining("it is over")]);
  });

  it("of somebody who leaves before anybody answered does not hold the call beyond its time", async () => {
    const { one, socket } = await attended({ tools: { approvals: { timeout_sec: 1 } } });
    const running = one.run("exec", { command: "echo > proof" });
    await next(socket);
    socket.close();
    expect((await running).output).toContain("nobody answered in time");
    expect(existsSync(join(one.root, "proof"))).toBe(false);
    expect((await one.run("exec", { command: "id" })).output).toContain("nobody is there to ask");
  });

  it("always, said to a denied, expired or unknown call, opens nothing", async () => {
    const { one, socket } = await attended({ tools: { approvals: { timeout_sec: 1 } } });
    const running = one.run("exec", { command: "id" });
    const { id, hash } = await next(socket);
    expect((await running).output).toContain("nobody answered in time");
    await next(socket);
    socket.send({ id, hash, decision: "always" });
    expect(await next(socket)).toMatchObject({ type: "approval_error", code: "APPROVAL_UNKNOWN" });
    const again = one.run("exec", { command: "id" });
    expect(await next(socket)).toMatchObject({ type: "approval_requested" });
    expect((await again).ok).toBe(false);
  });
});
