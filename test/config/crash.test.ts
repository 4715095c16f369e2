import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConfigFile } from "../../kernel/config/file.ts";
import { tempDir } from "../kit/temp.ts";
import { program, run } from "./child.ts";

const versions = ["old", "new"].map((name) => `${JSON.stringify({ name, fill: name.repeat(2000) }, null, 2)}\n`);

test("kill -9 between any two steps of a write, or in one, leaves the old file or the new one and no lock that stays", async () => {
  const programs = tempDir("config-program");
  const child = await program(
    programs,
    `
    import { ConfigFile } from "./kernel/config/file.ts";
    const text = ${JSON.stringify(versions[1])};
    const file = await ConfigFile.open({ stateDir: process.env.DIR, configPath: process.env.DIR + "/config.json" });
    await file.write(() => ({ text, named: "all" }), { who: "child" });
    `,
  );
  const crashAt = async (step: number): Promise<string | undefined> => {
    const dir = tempDir("config-crash");
    const path = join(dir, "config.json");
    writeFileSync(path, versions[0] as string);
    const { signal } = await run(child, { env: { DIR: dir, DIE_AT: String(step) } });
    if (signal === null) return undefined;
    const found = readFileSync(path, "utf8");
    const file = await ConfigFile.open({ stateDir: dir, configPath: path });
    await file.write(() => ({ text: '{ "after": 1 }', named: "all" }), { who: "test" });
    for (const { id } of await file.backups.list()) expect(versions).toContain(await file.backups.read(id));
    const litter = readdirSync(dir, { recursive: true }).filter((name) => String(name).endsWith(".tmp"));
    expect(litter, `after step ${step}`).toEqual([]);
    return found;
  };
  const left: (string | undefined)[] = [];
  while (!left.includes(undefined)) {
    left.push(...(await Promise.all([0, 1, 2, 3].map((step) => crashAt(left.length + step)))));
  }
  left.length = left.indexOf(undefined);
  const firstNew = left.indexOf(versions[1] as string);
  expect(firstNew).toBeGreaterThan(10);
  expect(left.slice(0, firstNew).every((text) => text === versions[0])).toBe(true);
  expect(left.slice(firstNew).every((text) => text === versions[1])).toBe(true);
}, 120_000);

test("writers of several processes lose nothing of each other", async () => {
  const dir = tempDir("config-crash");
  const path = join(dir, "config.json");
  writeFileSync(path, "// counted\n{}\n");
  const child = await program(
    tempDir("config-program"),
    `
    import { openOffline } from "./kernel/config/offline.ts";
    import { kernelSections } from "./kernel/config/sections.ts";
    const config = await openOffline({
      stateDir: ${JSON.stringify(dir)}, configPath: ${JSON.stringify(path)},
      sections: kernelSections, env: {}, validate: () => [],
    });
    const edits = [0, 1, 2, 3, 4].map((n) => config.write([{ path: "p" + process.pid + ".k" + n, value: n }], { who: "child" }));
    await Promise.all(edits);
    console.log("done");
    `,
  );
  const ended = await Promise.all([1, 2, 3, 4].map(() => run(child)));
  expect(ended).toEqual(Array(4).fill({ printed: "done\n", signal: null }));
  const text = readFileSync(path, "utf8");
  const value = JSON.parse(text.replace("// counted\n", "")) as Record<string, Record<string, number>>;
  expect(Object.keys(value)).toHaveLength(4);
  for (const keys of Object.values(value)) expect(keys).toEqual({ k0: 0, k1: 1, k2: 2, k3: 3, k4: 4 });
});
