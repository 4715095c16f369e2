import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { definePlugin, type Plugin, Type } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, test } from "vitest";
import { refusal } from "./fixture.ts";

/** Answers with its config and with the number of times it was set up; a `mode` of "broken" fails the setup. */
function probe(): Plugin {
  let setups = 0;
  return definePlugin({
    id: "probe",
    version: "1.0.0",
    host: "^1.0.0",
    section: "probe",
    config: Type.Object({
      level: Type.Integer({ minimum: 0, default: 1 }),
      mode: Type.String({ default: "fine" }),
      password: Type.String({ default: "", secret: true }),
    }),
    hot: ["level"],
    setup(ctx) {
      setups += 1;
      const mine = setups;
      if (ctx.config.mode === "broken") throw new Error("the probe is broken");
      ctx.route({
        method: "GET",
        path: "/probe",
        access: "read",
        handler: () => ({ ...ctx.config, setup: mine }),
      });
      ctx.on("config:validate", (merged, add) => {
        const { mode } = merged.probe as { mode: string };
        if (mode === "forbidden") add({ path: "probe.mode", message: "must not be forbidden", level: "error" });
      });
    },
  });
}

const who = { who: "test" };

test("a hot key reaches the running instance, another key a new one, writing down a default neither", async () => {
  await using host = await startHost({ plugins: [probe()], config: '// mine\n{ "other": [1] }\n' });
  const state = async () => (await host.request("/probe")).json();
  expect(await host.config.write([{ path: "probe.level", value: 5 }], who)).toMatchObject({
    applied: ["probe.level"],
    restarted: [],
  });
  expect(await state()).toMatchObject({ level: 5, setup: 1 });
  expect(await host.config.write([{ path: "probe.mode", value: "fast" }], who)).toMatchObject({ restarted: ["probe"] });
  expect(await state()).toMatchObject({ level: 5, mode: "fast", setup: 2 });
  expect(await host.config.write([{ path: "probe.password", value: "" }], who)).toMatchObject({
    applied: [],
    restarted: [],
  });
  expect(await state()).toMatchObject({ setup: 2 });
  expect(readFileSync(join(host.stateDir, "config.json"), "utf8")).toMatch(/^\/\/ mine\n\{ "other": \[1\], "probe":/);
});

test("a change that a plugin cannot be set up with is taken back whole: file, answers, hash", async () => {
  await using host = await startHost({ plugins: [probe()], config: { probe: { level: 2 } } });
  const path = join(host.stateDir, "config.json");
  const before = readFileSync(path, "utf8");
  const hash = host.config.hash();
  const edits = [
    { path: "probe.level", value: 3 },
    { path: "probe.mode", value: "broken" },
  ];
  const error = await refusal(host.config.write(edits, who));
  expect(error.code).toBe("CONFIG_APPLY_FAILED");
  expect(error.message).toContain("the probe is broken");
  expect(readFileSync(path, "utf8")).toBe(before);
  expect(host.config.hash()).toBe(hash);
  expect((await host.request("/probe")).json()).toMatchObject({ level: 2, mode: "fine" });
  await host.config.write([{ path: "probe.level", value: 4 }], who);
  expect((await host.request("/probe")).json()).toMatchObject({ level: 4 });
});

test("semantic problems of a live plugin refuse a write", async () => {
  await using host = await startHost({ plugins: [probe()] });
  const error = await refusal(host.config.write([{ path: "probe.mode", value: "forbidden" }], who));
  expect(error.details).toEqual({ errors: ["probe.mode must not be forbidden"] });
});

test("50 parallel writes through the host keep all keys and end in the state of the file", async () => {
  await using host = await startHost({ plugins: [probe()], config: {} });
  const writes = Array.from({ length: 50 }, (_, index) => [
    { path: `notes.n${index}`, value: index },
    { path: "probe.level", value: index },
  ]);
  await Promise.all(writes.map((edits) => host.config.write(edits, who)));
  const file = JSON.parse(readFileSync(join(host.stateDir, "config.json"), "utf8"));
  expect(Object.keys(file.notes)).toHaveLength(50);
  expect((await host.request("/probe")).json()).toMatchObject({ level: file.probe.level, setup: 1 });
});

test("a file that an editor broke: last good config, told, refused to writes, healed", async () => {
  await using host = await startHost({ plugins: [probe()], config: { probe: { level: 2 } } });
  const path = join(host.stateDir, "config.json");
  writeFileSync(path, '{ "probe": { "level": 3 }');
  expect((await refusal(host.config.reload("test"))).code).toBe("CONFIG_SYNTAX");
  expect(host.config.trouble()).toMatchObject({ line: 1, column: 26 });
  expect((await host.request("/probe")).json()).toMatchObject({ level: 2 });
  expect((await refusal(host.config.write([{ path: "probe.level", value: 4 }], who))).code).toBe("CONFIG_SYNTAX");
  writeFileSync(path, '{ "probe": { "level": 3 } }');
  expect(await host.config.reload("test")).toMatchObject({ applied: ["probe.level"], failed: [] });
  expect(host.config.trouble()).toBeNull();
});
