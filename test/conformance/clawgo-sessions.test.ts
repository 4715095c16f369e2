/** ClawGo contract §1.10 and §9: the list of sessions, the search in them, and transcripts as ClawGo and OpenClaw write them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../kit/cli.ts";
import { tempDir } from "../kit/temp.ts";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";
import { askAsOwner, gatewayForAll } from "./kit.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const gateway = gatewayForAll(async () => ({
  config: {
    agents: { defaults: { model: { primary: "sim/echo" } } },
    models: { providers: { sim: { api_base: upstream.base, api_key: "k", models: ["echo"] } } },
  },
}));

interface Row {
  readonly key: string;
  readonly [name: string]: unknown;
}
interface Hit extends Row {
  readonly snippets: readonly {
    readonly seq: number;
    readonly role: string;
    readonly segment: string;
    readonly content: string;
  }[];
}
interface Entry {
  readonly role: string;
  readonly content: string;
  readonly seq: number;
}

const get = async <T>(path: string) => (await askAsOwner(gateway(), path)).json() as T;
const say = (session: string, message: string) => askAsOwner(gateway(), "/api/chat", { body: { session, message } });
const search = (query: string) =>
  get<{ ok: boolean; query?: string; results: readonly Hit[] }>(`/api/sessions/search?${query}`);
const history = async (query: string) =>
  (await get<{ messages: readonly Entry[] }>(`/api/chat/history?${query}`)).messages;

const line = (role: string, text: string, more: object = {}) =>
  `${JSON.stringify({ type: "message", timestamp: "2026-02-03T04:05:06Z", message: { role, content: [{ type: "text", text }], ...more } })}\n`;

/** As a form, as the WebUI sends it. */
async function importFiles(files: Readonly<Record<string, string>>, query = "") {
  const form = new FormData();
  for (const [name, text] of Object.entries(files)) form.append("file", new File([text], name));
  const answer = await gateway().fetch(`/api/sessions/import${query}`, { method: "POST", body: form });
  const text = await answer.text();
  return { status: answer.status, body: (answer.ok ? JSON.parse(text) : { text }) as Record<string, unknown> };
}

describe("1.10 GET /api/sessions", () => {
  it("A9: hides what is internal, and shows it when asked", async () => {
    for (const key of ["review-api", "internal:a", "heartbeat:a", "cron:a", "subagent:a"]) await say(key, "hello");
    const keys = async (query: string) =>
      (await get<{ sessions: readonly Row[] }>(`/api/sessions${query}`)).sessions.map(({ key }) => key);
    const shown = await keys("");
    expect(shown).toContain("review-api");
    expect(shown.filter((key) => /^(internal|heartbeat|cron|subagent):/.test(key))).toEqual([]);
    expect(await keys("?include_internal=1")).toEqual(
      expect.arrayContaining(["internal:a", "heartbeat:a", "cron:a", "subagent:a"]),
    );
  });

  it("comes in pages when asked, none twice and none left out", async () => {
    for (let n = 0; n < 7; n++) await say(`page:${n}`, "x");
    const all = (await get<{ sessions: readonly Row[] }>("/api/sessions?include_internal=1")).sessions.map(
      ({ key }) => key,
    );
    const found: string[] = [];
    for (let cursor = ""; ; ) {
      const page = await get<{ sessions: readonly Row[]; next_cursor?: string }>(
        `/api/sessions?include_internal=1&limit=3&cursor=${cursor}`,
      );
      expect(page.sessions.length).toBeLessThanOrEqual(3);
      found.push(...page.sessions.map(({ key }) => key));
      if (page.next_cursor === undefined) break;
      cursor = page.next_cursor;
    }
    expect(found).toEqual(all);
    expect((await askAsOwner(gateway(), "/api/sessions?cursor=nonsense")).status).toBe(400);
    const main = await get<{ sessions: readonly Row[] }>("/api/sessions?kinds=main");
    expect(main.sessions.every(({ kind }) => kind === "main")).toBe(true);
  });
});

describe("1.3 GET /api/chat/history", () => {
  it("A10: takes session, after and limit", async () => {
    for (const text of ["one", "two", "three"]) await say("alpha", text);
    const messages = await history("session=alpha&after=2&limit=3");
    expect(messages.map(({ content }) => content)).toEqual(["two", "echo: two", "three"]);
  });
});

describe("1.10 GET /api/sessions/search", () => {
  it("A11: splits kinds, leaves the current session out, is bounded", async () => {
    for (const key of ["current", "web:one", "cron:nightly", "plain"]) await say(key, `deploy it, ${key}`);
    const found = await search("query=deploy&kinds=main,cron&exclude_current=1&session=current&limit=7");
    expect(found.ok).toBe(true);
    expect(found.query).toBe("deploy");
    expect(found.results.map(({ key }) => key).sort()).toEqual(["cron:nightly", "web:one"]);
    const [hit] = found.results;
    expect(hit).toEqual({
      key: expect.any(String),
      kind: expect.stringMatching(/^(main|cron)$/),
      updated_at: expect.any(Number),
      summary: expect.stringMatching(/^deploy it, (web:one|cron:nightly)$/),
      score: expect.any(Number),
      snippets: expect.any(Array),
    });
    expect(hit?.snippets[0]).toEqual({
      seq: expect.any(Number),
      role: expect.stringMatching(/^(user|assistant)$/),
      segment: expect.any(String),
      content: expect.stringContaining("deploy"),
    });
    const keys = async (query: string) => (await search(query)).results.map(({ key }) => key).sort();
    expect(await keys("query=deploy&kinds=main&kinds=cron&limit=20")).toEqual(["cron:nightly", "web:one"]);
    expect(await keys("query=deploy&kind=cron")).toEqual(["cron:nightly"]);
    expect(await keys("query=deploy&exclude_current=yes&session=plain")).not.toContain("plain");
    expect(await keys("query=deploy&exclude_current=0&session=plain")).toContain("plain");
    expect(await keys("query=deploy&limit=1")).toHaveLength(1);
    expect(await keys("query=deploy&limit=-3")).toHaveLength(4);
  });

  it("answers a blank query with no results and without the query", async () => {
    expect(await search("query=%20")).toEqual({ ok: true, results: [] });
    expect(await search("")).toEqual({ ok: true, results: [] });
  });

  it("survives whatever is asked", async () => {
    for (const query of ['"', "a AND", "NEAR(", "\u0000", "*", "x".repeat(5_000)]) {
      const answer = await askAsOwner(gateway(), `/api/sessions/search?query=${encodeURIComponent(query)}`);
      expect(answer.status).toBe(200);
    }
  });
});

describe("§9 transcripts", () => {
  it("T1: a line of 2 MiB loads; OpenClaw's toolResult is a tool message with id and text", async () => {
    const long = "x".repeat(2 * 1024 * 1024);
    const text = line("user", long) + line("toolResult", "the result", { toolCallId: "call_1" });
    expect((await importFiles({ "t1.jsonl": text })).body).toMatchObject({ ok: true, imported: 2, broken: 0 });
    const messages = await history("session=t1");
    expect(messages[0]?.content).toHaveLength(long.length);
    expect(messages[1]).toMatchObject({ role: "tool", content: "the result", tool_call_id: "call_1" });
  });

  it("T2: what is appended is found; the index is made anew without losing anything", async () => {
    await say("t2", "the zebra crosses");
    expect((await search("query=zebra")).results.map(({ key }) => key)).toEqual(["t2"]);
    const anew = await askAsOwner(gateway(), "/api/call", { body: { method: "sessions.reindex" } });
    expect(anew.json()).toMatchObject({ ok: true });
    expect((await search("query=zebra")).results.map(({ key }) => key)).toEqual(["t2"]);
  });

  it("T3: archived parts come before the one in use; a window spans them", async () => {
    const part = (...texts: string[]) => texts.map((text) => line("user", text)).join("");
    const files = {
      "t3%3Ax.active.jsonl": part("5"),
      "t3%3Ax.0002.jsonl": part("3", "4"),
      "t3%3Ax.0001.jsonl": part("1", "2"),
      "t3%3Ax.meta.json": "{}",
    };
    expect((await importFiles(files)).body).toMatchObject({ imported: 5, sessions: [{ key: "t3:x" }] });
    const seqs = async (query: string) =>
      (await history(`session=t3:x&${query}`)).map(({ seq, content }) => `${seq}=${content}`);
    expect(await seqs("after=2&limit=2")).toEqual(["3=3", "4=4"]);
    expect(await seqs("")).toEqual(["1=1", "2=2", "3=3", "4=4", "5=5"]);
  });

  it("T4: Chinese is found by two characters and by one, now and after the index was made anew", async () => {
    await importFiles({ "t4.jsonl": line("user", "我们今天讨论部署流程") });
    for (let round = 0; round < 2; round++) {
      for (const query of ["部署", "流", "讨论部署"]) {
        const [hit] = (await search(`query=${encodeURIComponent(query)}`)).results;
        expect(hit?.key).toBe("t4");
        expect(hit?.snippets[0]).toMatchObject({ seq: 1, role: "user", content: "我们今天讨论部署流程" });
      }
      await askAsOwner(gateway(), "/api/call", { body: { method: "sessions.reindex" } });
    }
  });

  it("names of sessions come from OpenClaw's sessions.json", async () => {
    const files = {
      "sessions.json": JSON.stringify({ "agent:main:main": { sessionId: "0b8f2c", updatedAt: 1 } }),
      "0b8f2c.jsonl": `{"type":"session","version":3,"id":"0b8f2c"}\n${line("user", "from OpenClaw")}`,
    };
    expect((await importFiles(files)).body).toMatchObject({
      imported: 1,
      other: 1,
      sessions: [{ key: "agent:main:main" }],
    });
  });
});

describe("import and export over HTTP", () => {
  it("go round: the same bytes come back", async () => {
    await say("round", "你好 round");
    const first = await gateway().fetch("/api/sessions/export?key=round");
    expect(first.headers.get("content-type")).toBe("application/x-ndjson");
    expect(first.headers.get("content-disposition")).toBe('attachment; filename="round.jsonl"');
    const text = await first.text();
    const raw = { method: "POST", body: text, headers: { "content-type": "application/x-ndjson" } };
    expect(await (await gateway().fetch("/api/sessions/import?key=round2", raw)).json()).toMatchObject({ imported: 2 });
    expect(await (await gateway().fetch("/api/sessions/import?key=round2", raw)).json()).toMatchObject({
      imported: 0,
      duplicates: 2,
    });
    expect(await (await gateway().fetch("/api/sessions/export?key=round2&format=jsonl")).text()).toBe(text);
    expect(await (await gateway().fetch("/api/sessions/export?key=round2&format=markdown")).text()).toContain(
      "## User\n\n",
    );
  });

  it("refuse what cannot be done, in words", async () => {
    const status = async (path: string, init: RequestInit = {}) => {
      const answer = await gateway().fetch(path, init);
      return `${answer.status} ${(await answer.text()).trim()}`;
    };
    expect(await status("/api/sessions/export")).toBe("400 key required");
    expect(await status("/api/sessions/export?key=nobody")).toBe('404 there is no session "nobody"');
    expect(await status("/api/sessions/export?key=main&format=pdf")).toMatch(/^400 format must be/);
    const raw = { method: "POST", body: "x\n", headers: { "content-type": "text/plain" } };
    expect(await status("/api/sessions/import", raw)).toMatch(/^400 .*give a key/);
    expect(await status("/api/sessions/import", { method: "POST" })).toMatch(/^400 nothing to import/);
    expect(await status("/api/sessions/import?key=a%0Ab", raw)).toMatch(/^400 session must have/);
    expect((await importFiles({ "../../etc/passwd": line("user", "x") })).status).toBe(400);
  });

  it("tell how far they are, and try without doing", async () => {
    const answer = await gateway().fetch("/api/sessions/import?key=dry&dry_run=1&progress=1", {
      method: "POST",
      body: `${line("user", "one")}broken\n`,
      headers: { "content-type": "application/jsonl" },
    });
    const lines = (await answer.text())
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(lines.at(-2)).toMatchObject({
      type: "session",
      key: "dry",
      imported: 1,
      broken: 1,
      problems: [{ line: 2 }],
    });
    expect(lines.at(-1)).toMatchObject({ type: "done", dry_run: true, imported: 1 });
    expect(await history("session=dry")).toEqual([]);
  });
});

describe("POST /api/sessions", () => {
  const change = async (body: unknown) => {
    const answer = await askAsOwner(gateway(), "/api/sessions", { body });
    return { status: answer.status, body: answer.status === 200 ? answer.json() : answer.text.trim() };
  };

  it("renames, titles and deletes", async () => {
    await say("before", "keep me");
    expect(await change({ action: "rename", key: "before", to: "after:it" })).toEqual({
      status: 200,
      body: { ok: true, key: "after:it", renamed_from: "before" },
    });
    expect((await history("session=after:it"))[0]?.content).toBe("keep me");
    expect(await history("session=before")).toEqual([]);
    expect((await search("query=keep")).results.map(({ key }) => key)).toEqual(["after:it"]);
    expect(await change({ action: "title", key: "after:it", title: " My  chat " })).toMatchObject({
      body: { title: "My chat" },
    });
    const row = (await get<{ sessions: readonly Row[] }>("/api/sessions")).sessions.find(
      ({ key }) => key === "after:it",
    );
    expect(row).toMatchObject({ title: "My chat", channel: "after", kind: "main", messages: 2 });
    expect(await change({ action: "delete", key: "after:it" })).toMatchObject({ body: { deleted: true } });
    expect((await search("query=keep")).results).toEqual([]);
  });

  it("refuses in words", async () => {
    await say("x1", "1");
    await say("x2", "2");
    expect(await change({ action: "rename", key: "x1", to: "x2" })).toMatchObject({ status: 409 });
    expect(await change({ action: "rename", key: "nobody", to: "x3" })).toMatchObject({ status: 404 });
    expect(await change({ action: "rename", key: "x1" })).toEqual({ status: 400, body: "to required" });
    expect(await change({ action: "rename" })).toEqual({ status: 400, body: "key required" });
    expect(await change({ action: "explode", key: "x1" })).toMatchObject({
      status: 400,
      body: expect.stringContaining("unsupported action"),
    });
  });
});

describe("chela sessions and chela usage", () => {
  const cli = (...args: string[]) =>
    runCli(args, { env: { CHELA_GATEWAY_URL: gateway().url, CHELA_GATEWAY_TOKEN: gateway().token } });

  it("import a folder, list, search, show, rename, export and remove", async () => {
    const folder = join(tempDir("transcripts"), "sessions");
    mkdirSync(folder);
    writeFileSync(join(folder, "cli%3Aone.0001.jsonl"), line("user", "antelope first"));
    writeFileSync(join(folder, "cli%3Aone.active.jsonl"), `${line("assistant", "second")}broken\n`);
    writeFileSync(join(folder, "two.jsonl"), line("user", "antelope third"));
    writeFileSync(join(folder, "two.meta.json"), "{}");
    const dry = JSON.parse((await cli("sessions", "import", folder, "--dry-run", "--json")).stdout);
    expect(dry).toMatchObject({ dryRun: true, imported: 3, broken: 1 });
    const done = await cli("sessions", "import", folder);
    expect(done.code).toBe(0);
    expect(done.stdout).toContain("Imported: 3 messages of cli:one, two; there already: 0, broken lines: 1.");
    expect(done.stderr).toContain("cli%3Aone.active.jsonl, line 2: it is no JSON");
    expect(JSON.parse((await cli("sessions", "import", folder, "--json")).stdout)).toMatchObject({
      imported: 0,
      duplicates: 3,
    });
    const found = JSON.parse((await cli("sessions", "search", "antelope", "--json")).stdout);
    expect(found.results.map(({ key }: Row) => key).sort()).toEqual(["cli:one", "two"]);
    expect((await cli("sessions", "search", "antelope", "first")).stdout).toContain("#1 user: antelope first");
    expect((await cli("sessions", "show", "cli:one")).stdout).toContain("antelope first");
    expect((await cli("sessions", "rename", "two", "cli:two")).stdout).toBe("two is called cli:two now.\n");
    expect((await cli("sessions", "title", "cli:two", "The", "third")).stdout).toBe("cli:two: The third\n");
    expect((await cli("sessions", "list", "--limit", "500")).stdout).toMatch(/cli:two +The third +main +1 /);
    const file = join(folder, "out.jsonl");
    expect((await cli("sessions", "export", "cli:one", file)).code).toBe(0);
    expect((await cli("sessions", "export", "cli:one", file)).stderr).toContain("--force");
    expect((await cli("sessions", "export", "cli:two", "--format", "markdown")).stdout).toMatch(
      /^# The third\n\n## User/,
    );
    expect((await cli("sessions", "remove", "cli:two")).stdout).toBe("Removed cli:two.\n");
    expect((await cli("sessions", "remove", "cli:two")).stdout).toBe('There is no session "cli:two".\n');
    expect((await cli("sessions", "export", "cli:two")).stderr).toBe(
      'there is no session "cli:two". See: chela sessions list\n',
    );
    expect((await cli("sessions", "list", "--kinds", "main,odd")).stderr).toContain('subagent, hook, other; not "odd"');
    const missing = await cli("sessions", "import", join(folder, "nothing.jsonl"));
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toContain("cannot be read");
  });

  it("sum up what was used", async () => {
    await say("billing", "count me");
    const rows = JSON.parse((await cli("usage", "--by", "session", "--session", "billing", "--json")).stdout);
    expect(rows.rows).toMatchObject([{ name: "billing", calls: 1, failed: 0, cost: null, unpriced: 1 }]);
    const table = await cli("usage", "--by", "model", "--since", "1h");
    expect(table.stdout).toMatch(/^model +calls +failed +input +output +cached +cost\n/);
    expect(table.stdout).toMatch(/sim\/echo +\d+ .* unknown\n/);
    expect(table.stderr).toContain("chela config set usage.prices");
    expect((await cli("usage", "--by", "colour")).code).not.toBe(0);
    const { key, id } = JSON.parse((await cli("keys", "add", "billed", "--scopes", "write", "--json")).stdout);
    await gateway().fetch("/api/chat", {
      method: "POST",
      body: JSON.stringify({ session: "billed", message: "count me" }),
      token: key,
    });
    const keys = await cli("usage", "--by", "key");
    expect(keys.stdout).toMatch(new RegExp(`^billed \\(${id}\\) +1 `, "m"));
    expect((await cli("usage", "--by", "session", "--key", "billed")).stdout).toMatch(/^billed +1 /m);
  });
});
