import { type GatewayError, redactedMark } from "@chela/sdk";
import { expect, test } from "vitest";
import { open, refusal } from "./fixture.ts";

const mark = redactedMark;
const secret = "canary-9f1c2b7d";
const why = { who: "test" };

const file = `{
  // the old token: ${secret}-comment
  "gateway": { "port": 18790, "token": "${secret}-token" }, // mine
  "models": {
    "providers": { "a": { "api_base": "http://a", "api_key": "${secret}-key" } },
  },
  "strange": [1, 2.50],
}
`;

const problemsOf = (error: GatewayError) => error.details?.problems;

test("the text is the file with its secrets masked, and written back unchanged it changes nothing", async () => {
  const { config, onDisk, applied, path } = await open(file);
  const shown = await config.text();
  expect(shown).toMatchObject({ hash: config.hash(), path });
  expect(shown.text).toBe(
    file
      .replace(`the old token: ${secret}-comment`, `${mark}@4`)
      .replace(`${secret}-token`, mark)
      .replace(`${secret}-key`, mark),
  );
  expect(shown.problems).toEqual([
    { path: "strange", message: "is not a known key; it is kept", level: "warning", line: 7, column: 14 },
  ]);
  await config.writeText(shown.text, { ...why, baseHash: shown.hash });
  expect(onDisk()).toBe(file);
  expect(applied).toEqual([]);
});

test("an edited text is written as it was laid out, with what its marks cover", async () => {
  const { config, onDisk, applied } = await open(file);
  const { text, hash } = await config.text();
  const [, comment = ""] = text.split("\n");
  const edited = text
    .replace(`${comment}\n`, "")
    .replace("}, // mine", `}, // yours\n\n${comment}`)
    .replace("18790", "18791");
  const result = await config.writeText(edited, { ...why, baseHash: hash });
  expect(result).toMatchObject({ applied: ["gateway.port"], hash: config.hash() });
  expect(onDisk()).toBe(
    file
      .replace(`  // the old token: ${secret}-comment\n`, "")
      .replace("}, // mine", `}, // yours\n\n  // the old token: ${secret}-comment`)
      .replace("18790", "18791"),
  );
  expect(applied).toHaveLength(1);
  const [backup] = await config.backups();
  expect(backup).toMatchObject({ hash, replaced: { who: "test" } });
  const preview = await config.backup(backup?.id as string);
  expect(preview.text).toContain('"port": 18790');
  expect(preview.text).not.toContain(secret);
  await config.rollback(undefined, { ...why, why: "I was wrong" });
  expect((await config.backups())[0]).toMatchObject({ made: { who: "test" }, replaced: { why: "I was wrong" } });
});

test("a text is judged with every problem at its place, what it would do, and the difference", async () => {
  const { config, onDisk } = await open(file);
  const { text, hash } = await config.text();
  const good = await config.judge(text.replace("18790", "18791").replace(`"${mark}" } }`, '"sk-new-and-long" } }'));
  expect(good).toMatchObject({
    ok: true,
    hash,
    guard: null,
    changes: [
      { path: "gateway.port", class: "restart-gateway", owner: "gateway" },
      { path: "models.providers.a.api_key", class: "restart-plugin", owner: "providers" },
    ],
  });
  expect(good.diff.split("\n").filter((line) => /^[#+-]/.test(line))).toEqual([
    "# secret changed: models.providers.a.api_key",
    "--- config.json",
    "+++ edited",
    expect.stringMatching(/^-.*18790/),
    expect.stringMatching(/^\+.*18791/),
  ]);
  expect(good.diff).not.toMatch(/sk-new|canary/);

  const bad = await config.judge(
    text
      .replace("18790", "99999")
      .replace('"api_base": "http://a"', '"timeout_sec": 0')
      .replace("[1, 2.50]", `{ "token": "${mark}", "note": /* ${mark}@5 */ "x ${mark}" }`),
  );
  expect(bad).toMatchObject({ ok: false, changes: expect.any(Array) });
  const errors = bad.problems.filter(({ level }) => level === "error");
  expect(errors).toEqual([
    { path: "", message: expect.stringContaining("covers nothing"), level: "error", line: 7, column: 55 },
    {
      path: "strange.token",
      message: expect.stringContaining("nothing is stored"),
      level: "error",
      line: 7,
      column: 25,
    },
    { path: "strange.note", message: expect.stringContaining("must not contain"), level: "error", line: 7, column: 82 },
    { path: "gateway.port", message: "must be <= 65535", level: "error", line: 3, column: 24 },
    { path: "models.providers.a.api_base", message: "must be given", level: "error", line: 5, column: 25 },
    { path: "models.providers.a.timeout_sec", message: "must be >= 1", level: "error", line: 5, column: 42 },
  ]);
  expect(await config.judge('{ "a": 1\n "b": 2 }')).toMatchObject({
    ok: false,
    hash,
    problems: [{ path: "", message: 'a "," is expected', line: 2, column: 2, level: "error" }],
  });
  expect(await config.judge('{ "__proto__": 1 }')).toMatchObject({ ok: false, problems: [{ path: "" }] });
  expect(onDisk()).toBe(file);
});

test("a write is refused with the same problems, and for a stale base with the hash of now", async () => {
  const { config, onDisk, edit } = await open(file);
  const { text, hash } = await config.text();
  const write = (given: string, force = false) => refusal(config.writeText(given, { ...why, baseHash: hash, force }));
  const invalid = await write(text.replace("18790", "99999"), true);
  expect([invalid.code, invalid.status]).toEqual(["CONFIG_INVALID", 400]);
  expect(problemsOf(invalid)).toContainEqual(expect.objectContaining({ path: "gateway.port", line: 3, column: 24 }));
  const syntax = await write("{ nope");
  expect(syntax.code).toBe("CONFIG_SYNTAX");
  expect(problemsOf(syntax)).toMatchObject([{ path: "", line: 1, column: 3, level: "error" }]);
  const lossy = await write('{ "strange": [] }');
  expect([lossy.code, lossy.status, lossy.details?.lost]).toEqual(["CONFIG_GUARD", 409, ["gateway", "models"]]);
  expect((await config.judge('{ "strange": [] }')).guard).toBe(lossy.message);
  expect(onDisk()).toBe(file);
  edit(file.replace("mine", "theirs"));
  const stale = await write(text);
  expect([stale.code, stale.status, stale.details?.hash]).toEqual(["CONFIG_CONFLICT", 409, config.hash()]);
  await config.writeText('{ "strange": [] }', { ...why, baseHash: config.hash(), force: true });
  expect(onDisk()).toBe('{ "strange": [] }');
});

test("an error that the file has already does not block a text that leaves it alone", async () => {
  const { config, onDisk } = await open({ cron: { maxWorkers: 0 }, logging: { level: "info" } });
  const { text, hash } = await config.text();
  expect((await config.judge(text.replace("info", "debug"))).ok).toBe(true);
  await config.writeText(text.replace("info", "debug"), { ...why, baseHash: hash });
  expect(onDisk()).toContain("debug");
});

test("a file that does not parse is shown without a secret and repaired, what is masked in it letter by letter", async () => {
  const fixture = await open(file);
  const { config, edit, onDisk } = fixture;
  const broken = file
    .replace('18790, "token"', '18790 "token"')
    .replace(`${secret}-key`, `${secret}-new\\u0020key`)
    .replace('"strange": [1, 2.50]', `"fresh": "${secret}", "pin": 4711, "strange": [1, 2.50]`);
  edit(broken);
  const { text, hash, problems } = await config.text();
  expect(problems).toEqual([{ path: "", message: 'a "," is expected', level: "error", line: 3, column: 30 }]);
  expect(text).not.toMatch(/canary|4711/);
  expect(text).toContain('"gateway": { "port": 18790 "token":');
  const repaired = text.replace("18790 ", "18790, ");
  const judged = await config.judge(repaired);
  expect(judged).toMatchObject({ ok: true, hash });
  expect(judged.diff).not.toContain("canary");
  expect(judged.diff).toContain('+  "gateway": { "port": 18790, "token"');
  await config.writeText(repaired, { ...why, baseHash: hash });
  expect(onDisk()).toBe(broken.replace("18790 ", "18790, "));
  expect(config.trouble()).toBeNull();

  edit('{ "gateway": { "port": sk-without-quotes } }');
  const bare = await config.text();
  expect(bare.text).not.toContain("without");
  const refused = await refusal(config.writeText(bare.text, { ...why, baseHash: bare.hash }));
  expect(problemsOf(refused)).toMatchObject([
    { message: expect.stringContaining("write it anew"), line: 1, column: 24 },
  ]);
});

test("a key that is written twice keeps both of its secrets", async () => {
  const twice = `{ "gateway": { "token": "${secret}-one", "token": "${secret}-two" }, "cron": { "maxWorkers": 2 } }`;
  const { config, onDisk } = await open(twice);
  const { text, hash } = await config.text();
  expect(text).not.toContain(secret);
  await config.writeText(text.replace("2 }", "3 }"), { ...why, baseHash: hash });
  expect(onDisk()).toBe(twice.replace("2 }", "3 }"));
  const stray = twice.replace(`${secret}-one`, mark);
  expect(await config.judge(stray)).toMatchObject({ ok: false, problems: [{ path: "gateway.token" }] });
});

test("a mark with a place keeps only what was masked there: no value moves by it", async () => {
  const { config } = await open(file);
  const at = file.indexOf(`"${secret}-token"`);
  const moved = (await config.text()).text.replace('"strange": [1, 2.50]', `"strange": "${mark}@${at}"`);
  const judged = await config.judge(moved);
  expect(judged.ok).toBe(false);
  expect(judged.diff).not.toContain("canary");
});

test("a mark with a place makes no key of a value, and a reader learns nothing by it wherever he moves it", async () => {
  const fixture = await open(
    `{ "strange": 1, "strange": 2, "models": { "providers": { "a": { "api_key": "${secret}" } } } }`,
  );
  const { config } = fixture;
  fixture.semantics = ({ logging }) => [
    { path: "logging.dir", message: `is ${JSON.stringify(logging)}`, level: "error" },
  ];
  const place = /@\d+/.exec((await config.text()).text)?.[0];
  for (const moved of [`{ "${mark}${place}": 1 }`, `{ "logging": { "dir": "${mark}${place}" } }`]) {
    const { message, details } = await refusal(config.planFile(moved));
    expect(JSON.stringify([message, details])).not.toContain(secret);
  }
  fixture.semantics = () => [];
  const judged = await config.judge(`{ "${mark}${place}": 1 }`);
  expect(judged.ok).toBe(false);
  expect(JSON.stringify(judged)).not.toContain(secret);
});

test("the text that an editor has is planned as it is", async () => {
  const { config } = await open(file);
  expect(await config.planFile((await config.text()).text)).toEqual([]);
});

test("bytes that are no text, an empty file and none at all can be replaced", async () => {
  const { config, edit, onDisk, path } = await open("{}");
  const { writeFileSync, rmSync } = await import("node:fs");
  for (const spoil of [
    () => writeFileSync(path, Buffer.from([0xff, 0xfe, 0x00])),
    () => edit(""),
    () => rmSync(path),
  ]) {
    spoil();
    const { text, hash } = await config.text();
    expect(["", "{}\n"]).toContain(text);
    await config.writeText('{ "cron": {} }\n', { ...why, baseHash: hash });
    expect(onDisk()).toBe('{ "cron": {} }\n');
  }
});
