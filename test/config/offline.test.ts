import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureStateDir, locate } from "../../kernel/config/locate.ts";
import { openOffline } from "../../kernel/config/offline.ts";
import { tempDir } from "../kit/temp.ts";
import { program, run, unprivileged } from "./child.ts";
import { refusal, sections, validate } from "./fixture.ts";

function openIn(stateDir: string) {
  return openOffline({ stateDir, configPath: join(stateDir, "config.json"), sections, env: {}, validate });
}

test("everything works without a gateway; changes wait for its start", async () => {
  const dir = tempDir("offline");
  const config = await openIn(dir);
  const result = await config.write(
    [
      { path: "gateway.port", value: 19000 },
      { path: "cron.maxWorkers", value: 2 },
    ],
    { who: "cli" },
  );
  expect(result).toMatchObject({
    applied: [],
    restarted: [],
    failed: [],
    pending: ["gateway.port", "cron.maxWorkers"],
  });
  const again = await openIn(dir);
  expect(again.get("gateway.port", "file")).toEqual({ found: true, value: 19000 });
  expect((await refusal(again.write([{ path: "gateway.port", value: 0.5 }], { who: "cli" }))).code).toBe(
    "CONFIG_INVALID",
  );
});

test("a file that does not parse can still be looked at and rolled back", async () => {
  const dir = tempDir("offline");
  await (await openIn(dir)).write([{ path: "cron.maxWorkers", value: 2 }], { who: "cli" });
  await (await openIn(dir)).write([{ path: "cron.maxWorkers", value: 3 }], { who: "cli" });
  writeFileSync(join(dir, "config.json"), "{ nonsense");
  const config = await openIn(dir);
  expect(config.trouble()).toMatchObject({ line: 1, column: 3 });
  expect(await config.diff()).not.toContain("nonsense");
  await config.rollback(undefined, { who: "cli" });
  expect(config.trouble()).toBeNull();
  expect(JSON.parse(readFileSync(join(dir, "config.json"), "utf8"))).toEqual({ cron: { maxWorkers: 2 } });
});

test("reading alone makes no file and no folder", async () => {
  const dir = join(tempDir("offline"), "not", "there");
  const config = await openIn(dir);
  expect(config.get("gateway.port", "merged").value).toBe(18790);
  expect(await config.backups()).toEqual([]);
  expect(() => statSync(dir)).toThrow();
});

test("the state dir and the file are found by option, environment, default", () => {
  const home = { HOME: "/home/me" };
  expect(locate({}, home)).toEqual({ stateDir: "/home/me/.chela", configPath: "/home/me/.chela/config.json" });
  expect(locate({ dev: true }, home).stateDir).toBe("/home/me/.chela-dev");
  expect(locate({}, { ...home, CHELA_STATE_DIR: "~/s" })).toEqual({
    stateDir: "/home/me/s",
    configPath: "/home/me/s/config.json",
  });
  expect(locate({}, { ...home, CHELA_CONFIG: "/etc/c.json" })).toEqual({
    stateDir: "/home/me/.chela",
    configPath: "/etc/c.json",
  });
  expect(locate({ config: "/x.json", stateDir: "/s" }, { ...home, CHELA_CONFIG: "/y", CHELA_STATE_DIR: "/z" })).toEqual(
    {
      stateDir: "/s",
      configPath: "/x.json",
    },
  );
});

test("the state dir is made for its owner alone; one that cannot be written is named", async () => {
  const dir = tempDir("offline");
  await ensureStateDir(join(dir, "a", "b"));
  expect((statSync(join(dir, "a", "b")).mode & 0o777).toString(8)).toBe("700");
  const programs = tempDir("config-program");
  const child = await program(
    programs,
    `
    import { ensureStateDir } from "./kernel/config/locate.ts";
    await ensureStateDir(${JSON.stringify(join(dir, "c"))}).catch(({ code, message }) => console.log(code, message));
    `,
  );
  writeFileSync(join(dir, "file"), "");
  expect((await refusal(ensureStateDir(join(dir, "file", "x")))).code).toBe("STATE_DIR");
  const as = unprivileged(dir, programs);
  const { chmodSync } = await import("node:fs");
  chmodSync(dir, 0o555);
  const { printed } = await run(child, as);
  chmodSync(dir, 0o755);
  expect(printed).toContain(`STATE_DIR the state dir ${join(dir, "c")} cannot be written`);
});
