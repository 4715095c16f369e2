import { redactedMark } from "@chela/sdk";
import { expect, test } from "vitest";
import { keepRedacted } from "../../kernel/config/keep.ts";
import { redact, secretsIn } from "../../kernel/config/redact.ts";
import { redactText } from "../../kernel/config/redact-text.ts";
import { composeSchema } from "../../kernel/config/sections.ts";
import { open, refusal, sections, snapshotOf } from "./fixture.ts";

const schema = composeSchema(sections);
const mark = redactedMark;
const canary = "canary-secret";

/** A secret in every kind of place; each value starts with the canary. */
const leaky = `{
  // the old token: ${canary}-in-comment
  "gateway": { "token": "${canary}-01", "auth": { "token": "${canary}-02", "password": "${canary}-03" } },
  "models": {
    "providers": {
      "a": {
        "api_base": "https://user:${canary}-04@host/v1",
        "api_key": "${canary}-05",
        "headers": { "Authorization": "Bearer ${canary}-06", "x-api-key": "${canary}-07", "accept": "text/html" },
        "accounts": [{ "id": "one", "token": "${canary}-08" }],
        "spare_keys": ["${canary}-09", "${canary}-10"],
        "note": "copied ${canary}-05 here" // ${canary}-05 again
      }
    }
  },
  "plugins": {
    "entries": {
      "demo": { "config": { "password": "${canary}-11", "password": "${canary}-12", "target": { "kind": "http", "secretUrl": "${canary}-13" } } },
      "stranger": { "config": { "botToken": "${canary}-14", "nested": { "credentials": { "user": "${canary}-15" } }, "motto": ["${canary}-20"] } }
    }
  },
  "channels": {
    "telegram": { "token": "${canary}-16", "max_tokens": 4096, "pin": "${canary}-17" },
    "list": [{ "client_secret": "${canary}-18" }, { "privateKey": "${canary}-19", "monkey": "banana" }]
  }
}
`;

test("no read path shows a secret: view, file, get, text, diff, plan, backups, schema, errors", async () => {
  const { config } = await open(leaky);
  await config.write([{ path: "gateway.auth.token", value: `${canary}-new` }], { who: "test" });
  await config.write([{ path: "models.providers.a.accounts.0.token", value: `${canary}-newer` }], { who: "test" });
  const plan = await config.plan([{ path: "gateway.auth.password", value: `${canary}-planned` }]);
  const refused = await refusal(
    config.write([{ path: "models.providers.a.api_key", value: [`${canary}-bad`] }], { who: "t" }),
  );
  const shown = [
    config.view(),
    config.file(),
    config.get("gateway.auth", "merged"),
    config.get("models.providers.a.api_key", "file"),
    await config.diff(),
    await config.diff((await config.backups()).at(-1)?.id),
    redactText(leaky, await snapshotOf(leaky)),
    await config.text(),
    await config.judge(leaky),
    await config.backup((await config.backups())[0]?.id as string),
    plan,
    await config.backups(),
    config.schema(),
    config.problems(),
    [refused.message, refused.details],
  ];
  for (const [index, part] of shown.entries()) expect(JSON.stringify(part), `part ${index}`).not.toContain(canary);
});

test("the copy of a secret that the file only refers to is hidden as well", async () => {
  const copied = `{ "note": "${canary}", // ${canary}\n "models": { "providers": { "a": { "api_key": "\${KEY}" } } } }`;
  const { config, edit } = await open(copied, { KEY: canary });
  edit(copied.replace('"note"', '"mine"'));
  for (const shown of [config.view(), config.file(), await config.text(), await config.diff()])
    expect(JSON.stringify(shown)).not.toContain(canary);
});

test("of a plugin that is not installed no text and no number is shown, but what is the same elsewhere is", async () => {
  const model = "a-model-with-a-long-name";
  const config = { model, room: 4711, pin: 4711, on: true, from: "$" + "{ROOM}", none: null };
  const value = { plugins: { entries: { gone: { enabled: false, config } } }, logging: { dir: model } };
  const hidden = { ...config, model: mark, room: mark, pin: mark };
  expect(redact(value, schema)).toEqual({
    plugins: { entries: { gone: { enabled: false, config: hidden } } },
    logging: { dir: model },
  });
  const { config: service, onDisk } = await open(value);
  expect(secretsIn(await snapshotOf(value))).toEqual(new Set());
  const before = onDisk();
  await service.write([{ path: "plugins.entries.gone.config", value: { ...hidden, on: false } }], { who: "test" });
  expect(onDisk()).toBe(before.replace("true", "false"));
});

test("thousands of secrets are looked for in thousands of texts", () => {
  const many = (make: (n: number) => object) => Array.from({ length: 20_000 }, (_, n) => make(n));
  const items = many((n) => ({ token: `one-of-the-secrets-${n}`, text: `a text of its own, number ${n}` }));
  const shown = redact({ custom: [...items, { text: "copied: one-of-the-secrets-19999!" }] }, schema);
  expect((shown as { custom: unknown[] }).custom.slice(-2)).toEqual([
    { token: mark, text: "a text of its own, number 19999" },
    { text: mark },
  ]);
});

test("what is no secret is shown", () => {
  const value = {
    gateway: { port: 1, auth: { token: "", mode: "token" } },
    models: {
      providers: { a: { api_base: "https://host/v1", api_key: "$" + "{KEY}", headers: { accept: "text/html" } } },
    },
    channels: { max_tokens: 4096, monkey: "banana", keyboard: "de", token: "" },
  };
  expect(redact(value, schema)).toEqual(value);
});

test("a number or a whole object that a schema marks is redacted too", () => {
  const odd = {
    type: "object",
    properties: { pin: { type: "integer", secret: true }, box: { type: "object", secret: true } },
  };
  expect(redact({ pin: 1234, box: { a: ["x"], on: true } }, odd)).toEqual({ pin: mark, box: { a: [mark], on: true } });
});

test("redacted text is still the same JSON for everything else; of text that does not parse only known words are shown", async () => {
  const known = await snapshotOf({ gateway: { port: 18790 }, custom: { word: "plain" } });
  const text = redactText('{\r\n  // fine\r\n  "gateway": { "port": 1, "token": "abcdef" },\r\n}', known);
  expect(text).toBe(`{\r\n  // fine\r\n  "gateway": { "port": 1, "token": "${mark}" },\r\n}`);
  const broken = `{ "gateway": { "port": 18790 "token": "${canary}" }, "custom": "plain", ${canary} // was "${canary}"\n /* ${canary}`;
  expect(redactText(broken, known)).toBe(
    `{ "gateway": { "port": 18790 "token": "${mark}" }, "custom": "plain", "${mark}" // ${mark}\n /* ${mark} */`,
  );
});

test("a view that is sent back changes nothing, whatever it redacted", async () => {
  const { config, onDisk } = await open(leaky.replace(`"password": "${canary}-11", `, ""));
  const before = onDisk();
  const file = config.file();
  await config.write(
    Object.entries(file).map(([path, value]) => ({ path, value })),
    { who: "test" },
  );
  expect(onDisk()).toBe(before);
});

test("the mark keeps what is stored: by key, by id or name in lists, else by place", () => {
  const stored = {
    a: "s1",
    list: [
      { id: "x", token: "s2" },
      { id: "y", token: "s3" },
    ],
    keys: ["s4", "s5"],
  };
  const kept = (value: unknown) => keepRedacted(value, { path: "p", stored, live: undefined });
  expect(kept({ a: mark, b: 1 })).toEqual({ a: "s1", b: 1 });
  expect(
    kept({
      list: [
        { id: "y", token: mark },
        { id: "z", token: "new" },
      ],
    }),
  ).toEqual({
    list: [
      { id: "y", token: "s3" },
      { id: "z", token: "new" },
    ],
  });
  expect(kept({ keys: [mark, mark, "s6"] })).toEqual({ keys: ["s4", "s5", "s6"] });
});

test("accounts that are told apart by another id keep their own secrets, whoever goes, comes or moves", () => {
  const account = (bot_id: string, bot_token: string) => ({ ilink_user_id: "u", bot_id, bot_token });
  const stored = [account("a", "token of a"), account("b", "token of b")];
  const kept = (...list: unknown[]) => keepRedacted(list, { path: "accounts", stored, live: undefined });
  const [a, b] = [account("a", mark), account("b", mark)];
  expect(kept(b)).toEqual([stored[1]]);
  expect(kept(b, a)).toEqual([stored[1], stored[0]]);
  expect(kept(account("new", "its own"), a)).toEqual([account("new", "its own"), stored[0]]);
  expect(() => kept(a, account("c", mark))).toThrow("accounts.1.bot_token must be given");
});

test.each([
  [{ nothing: mark }, "p.nothing must be given: nothing is stored here"],
  [{ a: `Bearer ${mark}` }, "p.a must not contain"],
  [{ list: [{ id: "new", token: mark }] }, "p.list.0.token must be given"],
  [{ keys: [mark] }, "p.keys.0 must be given: the list got shorter"],
  [{ object: mark }, "p.object must be given"],
])("a mark that could mean anything is refused: %j", async (value, sentence) => {
  const stored = { a: "s1", list: [{ id: "x", token: "s2" }], keys: ["s4", "s5"], object: { b: 1 } };
  const error = await refusal(() => keepRedacted(value, { path: "p", stored, live: undefined }));
  expect([error.code, error.status]).toEqual(["CONFIG_REDACTED", 400]);
  expect(error.details).toEqual({ errors: [expect.stringContaining(sentence)] });
});

test("a secret that only the environment holds is kept by not writing it", async () => {
  const { config, onDisk } = await open({ logging: { level: "info" } }, { CHELA_GATEWAY_TOKEN: "from-env-only" });
  const auth = config.get("gateway.auth", "merged").value as { token: string };
  expect(auth.token).toBe(mark);
  await config.write([{ path: "gateway.auth", value: { token: auth.token, mode: "token" } }], { who: "test" });
  expect(JSON.parse(onDisk())).toEqual({ logging: { level: "info" }, gateway: { auth: { mode: "token" } } });
});

test("a diff names secrets that changed, since their lines look the same", async () => {
  const { config } = await open({ gateway: { auth: { token: "first-token" } } });
  await config.write(
    [
      { path: "gateway.auth.token", value: "second-token" },
      { path: "cron.maxWorkers", value: 2 },
    ],
    { who: "t" },
  );
  const diff = await config.diff();
  expect(diff).toContain("# secret changed: gateway.auth.token\n");
  expect(diff).toContain('+    "maxWorkers": 2');
  expect(diff).not.toContain('-token"');
});

test("the secrets of a new version are those of its changed parts; the log knows the others already", async () => {
  const password = (value: string) => ({ plugins: { entries: { demo: { config: { password: value } } } } });
  const key = { models: { providers: { a: { api_base: "x", api_key: `${canary}-kept` } } } };
  const before = await snapshotOf({ ...key, ...password(`${canary}-old`) });
  const after = await snapshotOf({ ...key, ...password(`${canary}-new`) }, {}, before);
  expect(secretsIn(after)).toEqual(new Set([`${canary}-kept`, `${canary}-new`]));
  expect(secretsIn(after, before)).toEqual(new Set([`${canary}-new`]));
  expect(secretsIn(after, { ...before, schema: {} })).toEqual(secretsIn(after));
});

test("what is not in the file is redacted and restored as if it were", async () => {
  const { config } = await open({ gateway: { auth: { token: `${canary}-in-the-file` } } });
  const demo = "plugins.entries.demo.config";
  const wanted = { password: "short", greeting: `${canary}-in-the-file`, other: "short" };
  expect(config.redact(demo, wanted)).toEqual({ password: mark, greeting: mark, other: "short" });
  expect(config.redact("models.providers.a", { api_key: "k" })).toEqual({ api_key: mark });
  expect(config.restore(demo, { password: mark, greeting: "hi" }, { password: "p" })).toEqual({
    password: "p",
    greeting: "hi",
  });
  expect(() => config.restore(demo, { password: mark }, {})).toThrow(`${demo}.password must be given`);
  const hostile = JSON.parse('{"__proto__":{"x":1}}') as object;
  expect(() => config.redact(demo, hostile)).toThrow("__proto__");
  expect(() => config.restore(demo, hostile, {})).toThrow("__proto__");
  expect(config.file()).not.toHaveProperty("plugins");
});
