/** exec and process: argv and shell lines, limits, what a child may know, and that nothing of it is left behind. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tempDir } from "../../kit/temp.ts";
import { until as soon } from "../../kit/until.ts";
import { type Bench, bench } from "./kit.ts";

/** Programs start and end when the machine gets round to it. */
const until = <T>(probe: () => T | Promise<T>) => soon(probe, 25_000);

let it1: Bench;
beforeAll(async () => {
  process.env.CHELA_CANARY_SECRET = "CANARY-env";
  process.env.OPENAI_API_KEY = "CANARY-key";
  it1 = await bench();
});
afterAll(async () => {
  delete process.env.CHELA_CANARY_SECRET;
  delete process.env.OPENAI_API_KEY;
  await it1[Symbol.asyncDispose]();
});

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};
const pidIn = (file: string) => Number(readFileSync(join(it1.root, file), "utf8"));

describe("exec", () => {
  it("runs a program with its arguments as they are: nothing is expanded", async () => {
    const args = ["%s|", "$(id)", "`id`", "*", "a b", "$HOME", "--", ";rm -rf /", "'\""];
    expect(await it1.ok("exec", { command: "printf", args })).toBe("$(id)|`id`|*|a b|$HOME|--|;rm -rf /|'\"|");
    expect(await it1.ok("exec", { command: "pwd", args: [] })).toBe(it1.root);
    expect(await it1.fails("exec", { command: "echo hi; id", args: [] })).toContain("cannot be run");
  });

  it("runs a line without args by sh, whole", async () => {
    expect(await it1.ok("exec", { command: "echo one; echo two >&2; exit 3" })).toBe(
      "one\n[stderr]\ntwo\n[exit code 3]",
    );
    expect(await it1.ok("exec", { command: "printf '%s' \"$0\"", shell: true })).toBe("/bin/sh");
    expect(await it1.fails("exec", { command: "echo", args: ["x"], shell: true })).toContain("takes no args");
    expect(await it1.fails("exec", { command: "  " })).toContain("empty");
    expect(await it1.ok("exec", { command: "true" })).toMatch(/^\[no output, exit code 0/);
    expect(await it1.ok("exec", { command: "kill -9 $$" })).toContain("[ended by a signal]");
  });

  it("starts inside the workspace and nowhere else", async () => {
    mkdirSync(join(it1.root, "sub"));
    symlinkSync(tempDir("elsewhere"), join(it1.root, "away"));
    expect(await it1.ok("exec", { command: "pwd", working_dir: "sub" })).toBe(join(it1.root, "sub"));
    for (const working_dir of ["..", "/", "/etc", "away", "nothing"])
      expect(await it1.fails("exec", { command: "pwd", working_dir })).toMatch(/outside|no folder/);
  });

  it("gives a child no secret of ours in its environment, and nothing that loads code", async () => {
    const env = await it1.ok("exec", { command: "env", args: [] });
    expect(env).not.toContain("CANARY");
    expect(env).not.toMatch(/^(?:CHELA_|NODE_(?!EXTRA_CA_CERTS)|LD_|OPENAI)/m);
    expect(env).toMatch(/^PATH=/m);
  });

  it("ends it when its time is up, with its grandchildren", async () => {
    await it1.host.config.write([{ path: "tools.shell.timeout_sec", value: 1 }], { who: "test" });
    const answer = await it1.ok("exec", { command: "echo begun; sleep 300 & echo $! > grandchild; wait" });
    expect(answer).toContain("begun");
    expect(answer).toContain("the time was up");
    await until(() => !alive(pidIn("grandchild")));
    await it1.host.config.write([{ path: "tools.shell.timeout_sec", value: 60 }], { who: "test" });
  });

  it("leaves no grandchild behind when it ends by itself", async () => {
    await it1.ok("exec", { command: "sleep 300 & echo $! > left; echo done" });
    await until(() => !alive(pidIn("left")));
  });

  it("ends when the turn is stopped", async () => {
    const stop = new AbortController();
    const running = it1.run("exec", { command: "echo $$ > own; sleep 300" }, { signal: stop.signal });
    await until(() => existsSync(join(it1.root, "own")) && pidIn("own") > 0);
    stop.abort();
    expect((await running).ok).toBe(false);
    await until(() => !alive(pidIn("own")));
  });

  it("keeps both ends of a flood and counts the rest", async () => {
    const flood = await it1.ok("exec", { command: "echo first; yes | head -c 50000000; echo last" });
    expect(flood.length).toBeLessThan(35_000);
    expect(flood).toMatch(/^first\n/);
    expect(flood).toMatch(/last$/);
    expect(flood).toMatch(/\[\d{8} bytes left out\]/);
  });
});

describe("process", () => {
  const idOf = (text: string) => /Started (p\d+)/.exec(text)?.[1] ?? "";

  it("starts, reads, writes and stops, each session for itself", async () => {
    const started = await it1.ok("process", { action: "start", command: "cat", args: [] });
    const id = idOf(started);
    expect(started).toContain("running");
    await it1.ok("process", { action: "write", id, content: "hello 你好\n" });
    await until(async () => (await it1.ok("process", { action: "read", id, offset: 0 })).includes("hello 你好"));
    expect(await it1.ok("process", { action: "read", id })).toContain("[nothing new]");
    expect(await it1.ok("process", { action: "list" })).toContain(`${id}  running`);
    const other = { session: "other" };
    expect(await it1.ok("process", { action: "list" }, other)).toBe("No processes in this session.");
    for (const action of ["read", "write", "stop"])
      expect(await it1.fails("process", { action, id, content: "x" }, other)).toContain("there is no process");
    expect(await it1.ok("process", { action: "stop", id })).toContain(`Stopped ${id}`);
    expect(await it1.fails("process", { action: "write", id, content: "x" })).toContain("has ended");
  });

  it("tells at once what fails at once, and keeps the last of a flood", async () => {
    expect(await it1.ok("process", { action: "start", command: "echo no >&2; exit 7" })).toMatch(
      /ended with code 7\.\nno$/,
    );
    const id = idOf(
      await it1.ok("process", { action: "start", command: "yes 0123456789 | head -c 9000000; echo end; sleep 300" }),
    );
    await until(async () => (await it1.ok("process", { action: "read", id, offset: 8_999_000 })).includes("end"));
    expect(await it1.ok("process", { action: "read", id, offset: 0 })).toMatch(/^\[\d{7} bytes are gone\]/);
    await it1.ok("process", { action: "stop", id });
  });

  it("has a limit per session, also for those that are being started", async () => {
    await it1.host.config.write([{ path: "tools.shell.max_processes", value: 2 }], { who: "test" });
    const session = { session: "crowded" };
    const start = () => it1.run("process", { action: "start", command: "sleep", args: ["300"] }, session);
    const answers = await Promise.all(Array.from({ length: 6 }, start));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(2);
    expect(answers.find(({ ok }) => !ok)?.output).toContain("run in this session already");
    await it1.host.config.write([{ path: "tools.shell.max_processes", value: 8 }], { who: "test" });
  });
});

describe("the switch", () => {
  it("tools.shell.enabled=false acts at once: gone from the list, refused, and everything that ran has ended", async () => {
    await using one = await bench();
    const pid = () => Number(readFileSync(join(one.root, "pid"), "utf8"));
    await one.ok("process", { action: "start", command: "echo $$ > pid; sleep 300" });
    await until(() => existsSync(join(one.root, "pid")) && pid() > 0);
    const running = one.run("exec", { command: "sleep 300" });
    await until(() => one.before.length >= 2);
    const result = await one.host.config.write([{ path: "tools.shell.enabled", value: false }], { who: "test" });
    expect(result).toMatchObject({ applied: ["tools.shell.enabled"], restarted: [] });
    const answer = await one.run("exec", { command: "echo hi > proof" });
    expect(answer.ok).toBe(false);
    expect(existsSync(join(one.root, "proof"))).toBe(false);
    await until(() => !one.names().includes("exec") && !one.names().includes("process"));
    expect(one.names()).toContain("read_file");
    const { tools } = (await one.host.request("/api/tools")).json() as { tools: { name: string }[] };
    expect(tools.map(({ name }) => name)).not.toContain("exec");
    expect((await running).output).not.toContain("exit code 0");
    await until(() => !alive(pid()));
    await one.host.config.write([{ path: "tools.shell.enabled", value: true }], { who: "test" });
    await until(() => one.names().includes("exec"));
    expect(await one.ok("exec", { command: "echo again" })).toBe("again");
  });

  it("a stopped plugin leaves no child behind", async () => {
    const one = await bench();
    writeFileSync(join(one.root, "x"), "");
    await one.ok("process", {
      action: "start",
      command: "echo $$ > pid; trap '' TERM; sleep 300 & echo $! > kid; wait; sleep 300",
    });
    await until(() => existsSync(join(one.root, "kid")));
    const pids = ["pid", "kid"].map((name) => Number(readFileSync(join(one.root, name), "utf8")));
    await one.host.plugins.disable("tools", "test");
    await until(() => !pids.some(alive));
    await one[Symbol.asyncDispose]();
  });
});
