/** ClawGo contract §1.10 and §11.6: the catalogue, the groups of allowlists byte for byte, and what a list of them means. */
import { expandAllowlist, isToolAllowed } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { ask, askAsOwner, gatewayForAll, talk } from "./kit.ts";

const gateway = gatewayForAll({ config: { agents: { entries: { coder: {} } } } });

const groups =
  '{"groups":[{"name":"files_read","description":"Read-only workspace file tools","aliases":["file_read","readonly_files"],"tools":["list_dir","read_file"]},' +
  '{"name":"files_write","description":"Workspace file modification tools","aliases":["file_write"],"tools":["edit_file","write_file"]},' +
  '{"name":"memory_all","description":"All memory tools","aliases":["memory"],"tools":["memory_get","memory_search","memory_write"]},' +
  '{"name":"memory_read","description":"Read-only memory and session recall tools","aliases":["mem_read"],"tools":["memory_get","memory_search","session_search"]},' +
  '{"name":"memory_write","description":"Memory write tools","aliases":["mem_write"],"tools":["memory_write"]},' +
  '{"name":"skills","description":"Skill script execution tools","aliases":["skill","skill_scripts"],"tools":["skill_exec"]},' +
  '{"name":"subagent","description":"Subagent execution tools","aliases":["agent_runtime"],"tools":["spawn","subagent_profile"]}],"ok":true}\n';

describe("11.7 GET /api/tool_allowlist_groups", () => {
  it("is exactly this", async () => {
    const answer = await askAsOwner(gateway(), "/api/tool_allowlist_groups");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.text).toBe(groups);
  });

  it.each(["/api/tool_allowlist_groups", "/api/tools", "/api/approvals", "/api/tools/audit"])(
    "%s: 401 without a credential, also with a wrong method; 405 with one",
    async (path) => {
      expect(await ask(gateway(), path)).toMatchObject({ status: 401, text: "unauthorized\n" });
      expect(await ask(gateway(), path, { method: "POST", body: "{}" })).toMatchObject({ status: 401 });
      expect(await askAsOwner(gateway(), path, { method: "DELETE" })).toMatchObject({ status: 405 });
    },
  );
});

describe("T5: allowlists", () => {
  it.each([
    [["group:files_read"], ["list_dir", "read_file"]],
    [["memory_all"], ["memory_get", "memory_search", "memory_write"]],
    [["@subagent"], ["spawn", "subagent_profile"]],
    [["skill"], ["skill_exec"]],
    [["memory_write"], ["memory_write"]],
    [["mem_read"], ["memory_get", "memory_search", "session_search"]],
    [["group:no_such"], ["group:no_such"]],
    [["@no_such"], ["@no_such"]],
    [
      ["  READ_File ", "", "Group:Files_Write"],
      ["edit_file", "read_file", "write_file"],
    ],
    [
      ["all", "exec"],
      ["*", "exec"],
    ],
    [["*"], ["*"]],
    [
      ["mcp__docs__look_up", "exec", "exec"],
      ["exec", "mcp__docs__look_up"],
    ],
    [
      ["constructor", "__proto__"],
      ["__proto__", "constructor"],
    ],
    [[], []],
  ])("%j means %j", (tokens, names) => {
    expect(expandAllowlist(tokens)).toEqual(names);
    expect(expandAllowlist(names)).toEqual(names);
  });

  it("group:files_read lets through read_file and list_dir, and nothing else", () => {
    const list = expandAllowlist(["group:files_read"]);
    expect(["read_file", "list_dir", "write_file", "exec"].filter((tool) => isToolAllowed(tool, list))).toEqual([
      "read_file",
      "list_dir",
    ]);
    expect(isToolAllowed("exec", expandAllowlist(["*"]))).toBe(true);
    expect(isToolAllowed("exec", [])).toBe(false);
  });
});

describe("GET /api/tools", () => {
  it("has the three lists and no `ok`; every entry is whole, sorted by name", async () => {
    const reply = (await askAsOwner(gateway(), "/api/tools")).json() as Record<string, Record<string, unknown>[]>;
    expect(Object.keys(reply).sort()).toEqual(["mcp_server_checks", "mcp_tools", "tools"]);
    expect(reply.mcp_tools).toEqual([]);
    const names = (reply.tools ?? []).map(({ name }) => name as string);
    expect(names).toEqual([...names].sort());
    const local =
      "edit_file exec list_dir memory_get memory_search memory_write message parallel parallel_fetch process read_file session_search sessions spawn subagent_profile system_info web_fetch web_search write_file";
    expect(names).toEqual(expect.arrayContaining(local.split(" ")));
    for (const tool of reply.tools ?? []) {
      expect(tool).toMatchObject({ source: "local", visibility: { main_agent: true, subagent: "allowlist" } });
      expect(tool.parameters).toMatchObject({ type: "object" });
      expect(tool.description).toEqual(expect.any(String));
    }
  });
});

async function say(message: string): Promise<string> {
  const socket = await talk(gateway(), "/api/chat/live");
  socket.say(JSON.stringify({ session: "tools", message }));
  let text = "";
  for (;;) {
    const frame = await socket.frame(20_000);
    if (frame.type === "chat_chunk") text += frame.delta;
    if (frame.type === "chat_done") return text;
    if (frame.type === "chat_error") throw new Error(String(frame.error));
  }
}

describe("T9: each agent has a memory of its own", () => {
  const asCoder = (tool: string, input: unknown) =>
    say(`/tool spawn ${JSON.stringify({ agent: "coder", content: `/tool ${tool} ${JSON.stringify(input)}` })}`);

  it("to write, to read and to search", async () => {
    expect(await say('/tool memory_write {"content":"the zebra is mine"}')).toContain("Remembered in");
    expect(await asCoder("memory_write", { content: "the giraffe is theirs" })).toContain("Remembered in");
    expect(await say('/tool memory_search {"query":"zebra"}')).toContain("the zebra is mine");
    expect(await say('/tool memory_search {"query":"giraffe"}')).toContain("Nothing was found");
    expect(await asCoder("memory_search", { query: "giraffe" })).toContain("the giraffe is theirs");
    expect(await asCoder("memory_search", { query: "zebra" })).toContain("Nothing was found");
    expect(await asCoder("memory_get", {})).not.toContain("zebra");
  });
});

describe("a turn on the offline model", () => {
  it("reads the workspace of the gateway, and a shell needs a person", async () => {
    expect(await say('/tool write_file {"path":"a/b.txt","content":"one two"}')).toContain("Wrote 7 bytes");
    expect(await say('/tool edit_file {"path":"a/b.txt","old_text":"two","new_text":"three"}')).toContain("1 place");
    expect(await say('/tool read_file {"path":"a/b.txt"}')).toContain("one three");
    expect(await say('/tool read_file {"path":"../config.json"}')).toContain("outside the workspace");
    expect(await say('/tool exec {"command":"id"}')).toContain("nobody is there to ask");
    const { calls } = (await askAsOwner(gateway(), "/api/tools/audit")).json() as { calls: { outcome: string }[] };
    expect(calls.slice(0, 5).map(({ outcome }) => outcome)).toEqual(["denied", "failed", "ok", "ok", "ok"]);
  });
});
