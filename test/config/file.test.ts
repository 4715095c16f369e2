import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConfigFile } from "../../kernel/config/file.ts";
import { tempDir } from "../kit/temp.ts";
import { program, run, unprivileged } from "./child.ts";
import { refusal } from "./fixture.ts";

async function fresh(text: string | null = '{\n  "a": 1\n}\n') {
  const dir = tempDir("config-file");
  const path = join(dir, "config.json");
  if (text !== null) writeFileSync(path, text);
  return { dir, path, file: await ConfigFile.open({ stateDir: dir, configPath: path }) };
}

const replace =
  (text: string, named: readonly string[] | "all" = "all") =>
  () => ({ text, named });
const who = { who: "test", why: "a reason" };

test("a write replaces the file, keeps its predecessor, and says so in the journal", async () => {
  const { dir, path, file } = await fresh();
  chmodSync(path, 0o644);
  const { before, after } = await file.write(replace('{ "a": 2 }\n'), who);
  expect(readFileSync(path, "utf8")).toBe('{ "a": 2 }\n');
  expect([file.state.text, file.state.hash]).toEqual(['{ "a": 2 }\n', after.hash]);
  const [backup] = await file.backups.list();
  expect(backup?.hash).toBe(before.hash);
  expect(await file.backups.read(backup?.id as string)).toBe('{\n  "a": 1\n}\n');
  const line = JSON.parse(readFileSync(join(dir, "config-journal.jsonl"), "utf8"));
  expect(line).toEqual({
    at: expect.any(Number),
    who: "test",
    why: "a reason",
    before: before.hash,
    after: after.hash,
  });
  const modes = [path, join(dir, "config-journal.jsonl"), join(dir, "backups/config", `${backup?.id}.json`)];
  for (const each of modes) expect((statSync(each).mode & 0o777).toString(8)).toBe("600");
});

test("the same text again writes nothing", async () => {
  const { dir, path, file } = await fresh();
  const { ino } = statSync(path);
  await file.write(({ text }) => ({ text: text as string, named: [] }), who);
  expect(statSync(path).ino).toBe(ino);
  expect(existsSync(join(dir, "backups"))).toBe(false);
});

test("a missing file is made, in a folder that is made for it", async () => {
  const dir = tempDir("config-file");
  const path = join(dir, "deep", "er", "config.json");
  const file = await ConfigFile.open({ stateDir: dir, configPath: path });
  expect(file.state.text).toBeNull();
  await file.write(replace("{}\n"), who);
  expect(readFileSync(path, "utf8")).toBe("{}\n");
  expect(await file.backups.list()).toEqual([]);
});

test("a stale base is refused with the current hash", async () => {
  const { file, path } = await fresh();
  const { hash } = file.state;
  writeFileSync(path, '{"a": 5}');
  const error = await refusal(file.write(replace("{}"), { ...who, baseHash: hash }));
  expect([error.code, error.status]).toEqual(["CONFIG_CONFLICT", 409]);
  expect(error.details?.hash).toBe(file.refresh().hash);
  expect(readFileSync(path, "utf8")).toBe('{"a": 5}');
});

test("an edit is made on the file as it is on disk, again when an editor saves in between", async () => {
  const { file, path } = await fresh("{}");
  const seen: (string | null)[] = [];
  await file.write(({ text }) => {
    seen.push(text);
    if (seen.length === 1) writeFileSync(path, '{"editor": 1}');
    return {
      text: (text as string).replace(/\}$/, ' "ours": 1 }').replace("{ ", "{").replace('1 "', '1, "'),
      named: ["ours"],
    };
  }, who);
  expect(seen).toEqual(["{}", '{"editor": 1}']);
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ editor: 1, ours: 1 });
});

test("a file that does not parse is never written over, unless it is rolled back on purpose", async () => {
  const { file, path } = await fresh('{"a": }');
  const error = await refusal(file.write(replace("{}"), who));
  expect(error.code).toBe("CONFIG_SYNTAX");
  expect(error.details).toEqual({ line: 1, column: 7 });
  expect(error.message).toContain("roll back");
  expect(readFileSync(path, "utf8")).toBe('{"a": }');
  await file.write(replace("{}"), { ...who, overBroken: true });
  expect(readFileSync(path, "utf8")).toBe("{}");
});

test("bytes that are not text are kept as they are in the backup", async () => {
  const { file, path, dir } = await fresh();
  const bytes = Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]);
  writeFileSync(path, bytes);
  expect((await refusal(file.write(replace("{}"), who))).code).toBe("CONFIG_SYNTAX");
  const written = await file.write(replace("{}"), { ...who, overBroken: true });
  const [name] = readdirSync(join(dir, "backups/config"));
  expect(readFileSync(join(dir, "backups/config", name as string))).toEqual(bytes);
  await file.restore(written, who);
  expect(readFileSync(path)).toEqual(bytes);
});

test("a write that drops what nobody named is refused, force lets it through", async () => {
  const text = JSON.stringify({ a: "x".repeat(200), b: 1, c: 2 });
  const { file, path } = await fresh(text);
  const partial = JSON.stringify({ a: "x".repeat(200), c: 3 });
  const error = await refusal(file.write(replace(partial, ["c"]), who));
  expect([error.code, error.status, error.details?.lost]).toEqual(["CONFIG_GUARD", 409, ["b"]]);
  expect(readFileSync(path, "utf8")).toBe(text);
  await file.write(replace(partial, ["c", "b"]), who);
  const shrunk = JSON.stringify({ a: "x", c: 3 });
  expect((await refusal(file.write(replace(shrunk, ["a"]), who))).code).toBe("CONFIG_GUARD");
  await file.write(() => ({ text: shrunk, named: ["a"], removed: 200 }), who);
  await file.write(replace(partial), who);
  await file.write(replace(shrunk, ["a"]), { ...who, force: true });
  expect(readFileSync(path, "utf8")).toBe(shrunk);
});

test("restoring brings the previous bytes back, but never over somebody else's", async () => {
  const { file, path } = await fresh("{}");
  const first = await file.write(replace('{"a": 1}'), who);
  expect(await file.restore(first, who)).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("{}");
  const second = await file.write(replace('{"a": 2}'), who);
  writeFileSync(path, '{"editor": 1}');
  expect(await file.restore(second, who)).toBe(false);
  expect(readFileSync(path, "utf8")).toBe('{"editor": 1}');
});

test("restoring to nothing removes the file", async () => {
  const { file, path } = await fresh(null);
  await file.restore(await file.write(replace("{}"), who), who);
  expect(existsSync(path)).toBe(false);
});

test("a symlink is followed, not replaced, also one to a file that is yet to be made", async () => {
  const dir = tempDir("config-file");
  mkdirSync(join(dir, "real"));
  const path = join(dir, "config.json");
  symlinkSync(join("real", "there.json"), path);
  const file = await ConfigFile.open({ stateDir: dir, configPath: path });
  for (const text of ["{}\n", '{ "a": 1 }\n']) {
    await file.write(replace(text), who);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(dir, "real", "there.json"), "utf8")).toBe(text);
  }
});

test("a lock whose holder died is taken over; drafts of killed writers are removed", async () => {
  const { dir, path, file } = await fresh();
  writeFileSync(`${path}.lock`, JSON.stringify({ pid: 2 ** 22 + 1, nonce: "dead" }));
  writeFileSync(join(dir, ".config.json.0123456789ab.tmp"), '{"half');
  await file.write(replace("{}"), who);
  expect(readdirSync(dir).filter((name) => name.includes("lock") || name.endsWith(".tmp"))).toEqual([]);
});

test("20 backups are kept; their ids sort by age and are unique, also within a millisecond and after a clock set back", async () => {
  const { dir, file } = await fresh();
  mkdirSync(join(dir, "backups/config"), { recursive: true });
  writeFileSync(join(dir, "backups/config/29991231T235959999Z.json"), "{}");
  writeFileSync(join(dir, "backups/config/29991399T999999999Z.json"), "a file that only looks like one");
  for (let round = 0; round < 25; round++) await file.write(replace(`{"round": ${round}}`), who);
  const rows = await file.backups.list();
  expect(rows).toHaveLength(20);
  expect(await file.backups.read(rows[0]?.id as string)).toBe('{"round": 23}');
  expect(rows.map(({ id }) => id)).toEqual([...rows.map(({ id }) => id)].sort().reverse());
});

test.each(["../config", "..\\x", "/etc/passwd", "", "20260101T000000000Z/../../x", "20260101T000000000Z"])(
  "the backup %j does not exist and leads nowhere",
  async (id) => {
    const { file } = await fresh();
    const error = await refusal(() => file.backups.read(id));
    expect([error.code, error.status]).toEqual(["CONFIG_BACKUP", 404]);
  },
);

test("the journal is bounded and holds whole lines", async () => {
  const { dir, file } = await fresh();
  const journal = join(dir, "config-journal.jsonl");
  const line = `${JSON.stringify({ at: 1, who: "x", why: "y".repeat(180), before: "b".repeat(64), after: "a".repeat(64) })}\n`;
  writeFileSync(journal, line.repeat(800));
  await file.write(replace("{}"), { who: "w\n".repeat(300), why: "" });
  const lines = readFileSync(journal, "utf8").trimEnd().split("\n");
  expect(lines.length).toBeLessThan(500);
  const parsed = lines.map((each) => JSON.parse(each));
  expect(parsed.at(-1).who).toHaveLength(200);
});

test("a journal that cannot be written does not undo the write, it is told", async () => {
  const dir = tempDir("config-file");
  mkdirSync(join(dir, "config-journal.jsonl"));
  const warnings: string[] = [];
  const path = join(dir, "config.json");
  const file = await ConfigFile.open({ stateDir: dir, configPath: path, warn: (message) => warnings.push(message) });
  await file.write(replace("{}"), who);
  expect(readFileSync(path, "utf8")).toBe("{}");
  expect(warnings).toEqual([expect.stringContaining("the config was written")]);
});

test("a config that is a folder cannot be read, and that is said", async () => {
  const dir = tempDir("config-file");
  const error = await refusal(ConfigFile.open({ stateDir: dir, configPath: dir }));
  expect([error.code, error.status]).toEqual(["CONFIG_READ", 500]);
  expect(error.message).toContain(dir);
});

test.runIf(process.platform !== "win32")(
  "a config that is a pipe is read as what it holds now: nothing waits for it",
  async () => {
    const { dir, path } = await fresh(null);
    execFileSync("sh", ["-c", 'mkfifo "$0"', path]);
    const file = await ConfigFile.open({ stateDir: dir, configPath: path });
    expect(file.state.text).toBe("");
    expect((await refusal(file.write(replace("{}"), who))).code).toBe("CONFIG_SYNTAX");
    await file.write(replace("{}"), { ...who, overBroken: true });
    expect(readFileSync(path, "utf8")).toBe("{}");
  },
);

/** A process that tries one write and prints how it was refused. */
const attempt = (dir: string, text: string) => `
  import { ConfigFile } from "./kernel/config/file.ts";
  const file = await ConfigFile.open({ stateDir: ${JSON.stringify(dir)}, configPath: ${JSON.stringify(join(dir, "config.json"))} });
  try {
    await file.write(() => ({ text: ${text}, named: "all" }), { who: "child" });
    console.log(JSON.stringify({ code: "written" }));
  } catch ({ code, status, message, details }) {
    console.log(JSON.stringify({ code, status, message, details }));
  }
`;

test("a read-only folder: refused with the path, nothing changed", async () => {
  const { dir, path } = await fresh();
  const programs = tempDir("config-program");
  const child = await program(programs, attempt(dir, '"{}"'));
  const as = unprivileged(dir, programs);
  chmodSync(path, 0o644);
  chmodSync(dir, 0o555);
  const refused = JSON.parse((await run(child, as)).printed);
  chmodSync(dir, 0o755);
  expect(refused).toMatchObject({ code: "CONFIG_WRITE", status: 500, details: { path, reason: "EACCES" } });
  expect(refused.message).toContain(`${path} cannot be written: permission denied`);
  expect(readFileSync(path, "utf8")).toBe('{\n  "a": 1\n}\n');
});

test("a disk that takes no more: refused, the old file whole, no draft left, the next write works", async () => {
  const { dir, path, file } = await fresh();
  const child = await program(tempDir("config-program"), attempt(dir, 'JSON.stringify({ a: "x".repeat(300_000) })'));
  const refused = JSON.parse((await run(child, { shell: "ulimit -f 32" })).printed);
  expect(refused).toMatchObject({ code: "CONFIG_WRITE", status: 500, details: { path } });
  expect(refused.message).toMatch(/may not grow|disk is full/);
  expect(readFileSync(path, "utf8")).toBe('{\n  "a": 1\n}\n');
  expect(readdirSync(dir).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  await file.write(replace("{}"), who);
  expect(readFileSync(path, "utf8")).toBe("{}");
});
