/** The generated token: made once, 0600, repaired when it is not (S-20). */
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { generatedToken } from "../../kernel/auth/token-file.ts";
import { tempDir } from "../kit/temp.ts";

const onWindows = process.platform === "win32";
const mode = (path: string) => statSync(path).mode & 0o777;

it("makes a long random token in a new state dir, and keeps it", async () => {
  const stateDir = join(tempDir("token"), "new", "state");
  const first = await generatedToken(stateDir);
  expect(first).toEqual({
    token: expect.stringMatching(/^chela_[A-Za-z0-9_-]{43}$/),
    created: true,
    warning: undefined,
  });
  expect(await generatedToken(stateDir)).toEqual({ ...first, created: false });
  expect(readFileSync(join(stateDir, "token"), "utf8")).toBe(`${first.token}\n`);
  expect(readdirSync(stateDir)).toEqual(["token"]);
  if (!onWindows) expect(mode(join(stateDir, "token"))).toBe(0o600);
  expect((await generatedToken(join(tempDir("token"), "other"))).token).not.toBe(first.token);
});

it("agrees on one token when several start at once", async () => {
  const stateDir = tempDir("token");
  const all = await Promise.all(Array.from({ length: 8 }, () => generatedToken(stateDir)));
  expect(new Set(all.map(({ token }) => token)).size).toBe(1);
  expect(all.filter(({ created }) => created)).toHaveLength(1);
});

it("takes the file away from others, and says so", async () => {
  if (onWindows) return;
  const stateDir = tempDir("token");
  const { token } = await generatedToken(stateDir);
  chmodSync(join(stateDir, "token"), 0o644);
  const again = await generatedToken(stateDir);
  expect(again.token).toBe(token);
  expect(again.warning).toMatch(/mode 0644/);
  expect(again.warning).not.toContain(token);
  expect(mode(join(stateDir, "token"))).toBe(0o600);
  expect((await generatedToken(stateDir)).warning).toBeUndefined();
});

it.each([
  ["empty", "", false],
  ["blank", "\n \n", false],
  ["cut", "chela_abc", true],
  ["binary", "\u0000\u0001", true],
  ["of someone else", "hunter2", true],
  ["two lines", `chela_${"a".repeat(43)}\nchela_${"b".repeat(43)}\n`, true],
  ["huge", "x".repeat(100_000), true],
])("replaces a file that is %s", async (_name, text, warns) => {
  const stateDir = tempDir("token");
  const path = join(stateDir, "token");
  writeFileSync(path, text, { mode: 0o644 });
  const made = await generatedToken(stateDir);
  expect(made.created).toBe(true);
  expect(made.warning !== undefined).toBe(warns);
  expect((await generatedToken(stateDir)).token).toBe(made.token);
  if (!onWindows) expect(mode(path)).toBe(0o600);
});

it("fails with the path when there is no way to keep it", async () => {
  const stateDir = tempDir("token");
  mkdirSync(join(stateDir, "token"));
  await expect(generatedToken(stateDir)).rejects.toMatchObject({
    code: "STATE_DIR",
    message: expect.stringContaining(join(stateDir, "token")),
  });
  writeFileSync(join(stateDir, "file"), "");
  await expect(generatedToken(join(stateDir, "file"))).rejects.toMatchObject({ code: "STATE_DIR" });
});
