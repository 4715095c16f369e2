/** `chela tools`, `chela approvals`, and how `chela chat` asks about tool calls. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type Approval, approvals } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { decisionOf, described, escaped } from "../../kernel/cli/attend.ts";
import apiConfig from "../../plugins/api-config/index.ts";
import chat from "../../plugins/chat/index.ts";
import keys from "../../plugins/keys/index.ts";
import providers from "../../plugins/providers/index.ts";
import store from "../../plugins/store/index.ts";
import tools from "../../plugins/tools/index.ts";
import { type Live, liveHost } from "../kit/live.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { admin, workspacePlugin } from "../plugins/tools/kit.ts";

async function start(config = {}): Promise<Live & { root: string }> {
  const root = tempDir("workspace");
  const plugins = [apiConfig, store, providers, chat, keys, workspacePlugin(root), tools];
  return { ...(await liveHost({ plugins, env: { CHELA_DISCOVERY: "off" }, config })), root };
}

const touch = (name: string) => `/tool exec ${JSON.stringify({ command: `touch ${name}; echo made ${name}` })}`;

describe("chela tools", () => {
  it("lists, explains, runs and audits", async () => {
    const { chela, root } = await start();
    const list = await chela(["tools", "list"]);
    expect(list.stdout).toMatch(/^exec +exec +ask +write +tools/m);
    expect((await chela(["tools", "list", "--json"])).json<{ name: string }[]>().map(({ name }) => name)).toContain(
      "read_file",
    );
    expect((await chela(["tools", "info", "exec"])).stdout).toContain(
      "Risk exec; approval: ask (tools.approvals.exec)",
    );
    writeFileSync(join(root, "a.txt"), "hello\u001b[31m\n");
    expect(await chela(["tools", "run", "read_file", '{"path":"a.txt"}'])).toMatchObject({
      code: 0,
      stdout: "hello\n",
    });
    expect(await chela(["tools", "run", "exec", '{"command":"echo hi"}'])).toMatchObject({ code: 0, stdout: "hi\n" });
    const failed = await chela(["tools", "run", "read_file", '{"path":"none"}']);
    expect(failed).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("there is no file") });
    expect((await chela(["tools", "run", "read_file", '{"path":"none"}', "--json"])).json()).toMatchObject({
      ok: false,
      code: "FILE_MISSING",
    });
    expect((await chela(["tools", "run", "nothing"])).stderr).toContain("See: chela tools list");
    expect((await chela(["tools", "info", "red_file"])).stderr).toContain("Did you mean read_file?");
    expect((await chela(["tools", "run", "exec", "[1]"])).stderr).toContain("one JSON object");
    const audit = await chela(["tools", "audit", "--outcome", "failed"]);
    expect(audit.stdout).toMatch(/read_file +failed +token/);
    expect((await chela(["tools", "audit", "--json", "--limit", "1"])).json()).toHaveLength(1);
  });

  it("a key without admin has no say over approvals", async () => {
    const { chela } = await start();
    const { key } = (await chela(["keys", "add", "w", "--scopes", "write", "--json"])).json<{ key: string }>();
    const env = { CHELA_GATEWAY_TOKEN: key };
    expect((await chela(["tools", "run", "exec", '{"command":"id"}'], { env })).stderr).toContain(
      "nobody is there to ask",
    );
    for (const args of [
      ["approvals", "list"],
      ["tools", "audit"],
    ])
      expect(await chela(args, { env }), args.join(" ")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("admin"),
      });
    const chat = await chela(["chat", "-m", touch("x"), "--approve"], { env });
    expect(chat).toMatchObject({ code: 1, stderr: expect.stringContaining("--approve needs") });
  });
});

describe("chela approvals", () => {
  it("shows what waits, whole, and decides by its hash", async () => {
    const { chela, host } = await start();
    expect((await chela(["approvals", "list"])).stderr).toContain("Nobody attends");
    const leave = host.service(approvals).attend(admin);
    const key = (await chela(["keys", "add", "w", "--scopes", "write", "--json"])).json<{ key: string }>().key;
    const env = { CHELA_GATEWAY_TOKEN: key };
    const waiting = async (count: number) => {
      await until(() => host.service(approvals).pending().length === count);
      return host.service(approvals).pending().at(-1) as Approval;
    };
    const run = () => chela(["tools", "run", "exec", '{"command":"echo ran"}'], { env });
    const first = run();
    const { id, hash } = await waiting(1);
    const list = await chela(["approvals", "list"]);
    expect(list.stdout).toContain(id);
    expect(list.stdout).toContain('"command": "echo ran"');
    expect((await chela(["approvals", "allow", id, "--hash", "000000"])).stderr).toContain(
      "another call than you read",
    );
    expect((await chela(["approvals", "allow", id, "--hash", hash.slice(0, 8)])).stdout).toMatch(/^Allowed: /);
    expect(await first).toMatchObject({ code: 0, stdout: "ran\n" });
    const second = run();
    const other = await waiting(1);
    expect((await chela(["approvals", "deny", other.id, "--json"])).json()).toMatchObject({
      ok: true,
      decision: "deny",
    });
    expect((await second).stderr).toContain("a person said no");
    expect(await chela(["approvals", "allow", id])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("No call waits"),
    });
    leave();
  });
});

describe("chela chat", () => {
  it("-m alone denies, -m --approve allows what this turn wants and says so", async () => {
    const { chela, root } = await start();
    expect((await chela(["chat", "-m", touch("no")])).stdout).toContain("nobody is there to ask");
    expect(existsSync(join(root, "no"))).toBe(false);
    const yes = await chela(["chat", "-m", touch("yes"), "--approve"]);
    expect(yes).toMatchObject({ code: 0, stdout: expect.stringContaining("made yes") });
    expect(yes.stderr).toContain("Approved by --approve: main wants to run exec (exec) in session cli:default");
    expect(existsSync(join(root, "yes"))).toBe(true);
    const child = `/tool spawn ${JSON.stringify({ content: touch("child") })}`;
    expect((await chela(["chat", "-m", child, "--approve"])).stdout).toContain("made child");
  });

  it("-m at a terminal asks beside the reply; Enter, and the end of input, mean no", async () => {
    const { chela, root } = await start();
    const answer = async (name: string, type: (stdin: PassThrough) => unknown) => {
      const stdin = Object.assign(new PassThrough(), { isTTY: true });
      let asked = false;
      const onError = (text: string) => {
        if (asked || !text.includes("Allow it?")) return;
        asked = true;
        type(stdin);
      };
      return chela(["chat", "-m", touch(name)], { stdin, tty: true, onError });
    };
    const yes = await answer("yes", (stdin) => stdin.write("y\n"));
    expect(yes).toMatchObject({ code: 0, stdout: expect.stringContaining("made yes") });
    expect(yes.stdout).not.toContain("wants to run");
    expect(yes.stderr).toMatch(
      /main wants to run exec \(exec\).*:\n\{\n {2}"command": "touch yes.*\nAllow it\? y \/ N \/ always: /s,
    );
    expect((await answer("no", (stdin) => stdin.write("\n"))).stdout).toContain("a person said no");
    expect((await answer("end", (stdin) => stdin.end())).stdout).toContain("a person said no");
    expect(["yes", "no", "end"].filter((name) => existsSync(join(root, name)))).toEqual(["yes"]);
  });

  it("--approve is for its own turn: nothing else in the session is approved", async () => {
    const { chela, host, root } = await start();
    const { key } = (await chela(["keys", "add", "w", "--scopes", "write", "--json"])).json<{ key: string }>();
    const slow = chela(["chat", "-s", "shared", "-m", "/slow 3000", "--approve"]);
    await until(async () => ((await host.request("/api/approvals")).json() as { attending: number }).attending === 1);
    const run = ["tools", "run", "exec", '{"command":"touch stolen"}', "-s", "shared"];
    const other = chela(run, { env: { CHELA_GATEWAY_TOKEN: key } });
    await until(() => host.service(approvals).pending().length === 1);
    await slow;
    expect(existsSync(join(root, "stolen"))).toBe(false);
    expect(host.service(approvals).pending()).toHaveLength(1);
    const [waiting] = host.service(approvals).pending();
    await host.service(approvals).decide(waiting?.id ?? "", waiting?.hash ?? "", "deny", admin);
    expect((await other).code).toBe(1);
  });

  it("asks at the prompt: yes, no, always, and what was typed before is no answer", async () => {
    const { chela, root } = await start();
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    let seen = "";
    const talk = chela(["chat"], {
      stdin,
      onOutput: (text) => {
        seen = text;
      },
    });
    const questions = () => seen.split("Allow it? y / N / always: ").length - 1;
    const prompts = (count: number) => until(() => questions() === count, 10_000, `question ${count}`);
    stdin.write(`${touch("one")}\ny\n`);
    await prompts(1);
    expect(seen).toContain(
      'main wants to run exec (exec) in session cli:default:\n{\n  "command": "touch one; echo made one"\n}',
    );
    stdin.write("\n");
    await until(() => seen.includes("a person said no"), 10_000);
    expect(existsSync(join(root, "one"))).toBe(false);
    stdin.write(`${touch("two")}\n`);
    await prompts(2);
    stdin.write("y\n");
    await until(() => seen.includes("made two\n"), 10_000);
    stdin.write(`${touch("three")}\n`);
    await prompts(3);
    stdin.write("always\n");
    await until(() => seen.includes("made three\n"), 10_000);
    stdin.write(`${touch("four")}\n`);
    await until(() => seen.includes("made four\n"), 10_000);
    expect(questions()).toBe(3);
    expect(readFileSync(join(root, "four"), "utf8")).toBe("");
    stdin.write("exit\n");
    expect((await talk).code).toBe(0);
  });

  it("Ctrl-C at the question ends the turn, and nothing runs", async () => {
    const { chela, root } = await start();
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const signals = new Map<string, () => void>();
    let seen = "";
    const talk = chela(["chat"], {
      stdin,
      signals,
      onOutput: (text) => {
        seen = text;
      },
    });
    stdin.write(`${touch("never")}\n`);
    await until(() => seen.includes("Allow it?"), 10_000);
    signals.get("SIGINT")?.();
    await until(() => seen.endsWith("> "), 10_000, "the prompt");
    stdin.write("/echo on we go\n");
    await until(() => seen.includes("on we go\n"), 10_000);
    stdin.write("exit\n");
    expect((await talk).code).toBe(0);
    expect(existsSync(join(root, "never"))).toBe(false);
  });
});

describe("what is shown", () => {
  it("has no character that moves, hides or reorders", () => {
    const nasty = "a\u001b[2Jb\u0007\u202ec\u200bd\u2028e\u0085f\r\ng\u{e0041}h\u00adi\u3164j\t";
    const shown = escaped(nasty);
    expect(shown).toBe(
      "a\\u{001b}[2Jb\\u{0007}\\u{202e}c\\u{200b}d\\u{2028}e\\u{0085}f\\u{000d}\ng\\u{e0041}h\\u{00ad}i\\u{3164}j\\u{0009}",
    );
    const approval = {
      tool: "exec\u202e",
      risk: "exec",
      input: JSON.stringify({ command: nasty }),
      session: "s\u001b",
      agent: "x\n",
      hash: "0".repeat(64),
    } as Approval;
    expect(described(approval)).not.toMatch(/[^\P{C}\n]/u);
    expect(described(approval)).toMatch(/\n\[0{12}\]$/);
    const input = JSON.stringify({ command: `rm -r notes; ${"echo harmless; ".repeat(500)}` });
    expect(described({ ...approval, input })).toMatch(/rm -r notes.*\n\}\n\[0{12}\] 7\d{3} characters: scroll up/s);
    expect(escaped("普通的文字 é 👍")).toBe("普通的文字 é 👍");
  });

  it("only yes is yes", () => {
    expect(["y", "YES ", "a", "always", "", "n", "yy", "1", "ok", "ｙ"].map(decisionOf)).toEqual([
      "allow",
      "allow",
      "always",
      "always",
      ...Array.from({ length: 6 }, () => "deny"),
    ]);
  });
});
