/** ClawGo's case C2: what the configuration may say about subagents and the router, and what it is told otherwise. */
import { agent } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { checkAgents } from "../../plugins/chat/agent/team/rules.ts";
import { chatHost } from "../plugins/chat/kit.ts";

const good = {
  main: {
    enabled: true,
    system_prompt_file: "agents/main/AGENT.md",
    can_talk_to: ["coder"],
    accept_from: ["user", "coder"],
  },
  coder: {
    enabled: true,
    type: "worker",
    transport: "local",
    system_prompt_file: "agents/coder/AGENT.md",
    notify_main_policy: "final_only",
    accept_from: ["main"],
    can_talk_to: ["main"],
    runtime: { provider: "openai", max_retries: 0 },
    tools: { allowlist: ["group:files_read"] },
  },
};

function problems(agents: Record<string, unknown>): string[] {
  const found: string[] = [];
  const config = { agents, models: { providers: { openai: {} } } };
  checkAgents(config, ({ path, message }) => found.push(`${path} ${message}`));
  return found;
}

const coder = (change: Record<string, unknown>) =>
  problems({ subagents: { ...good, coder: { ...good.coder, ...change } } });

describe("C2", () => {
  it("known subagents that name each other are valid", () => {
    expect(problems({ subagents: good })).toEqual([]);
    expect(problems({})).toEqual([]);
    expect(problems({ defaults: { time_zone: "Asia/Shanghai" } })).toEqual([]);
    expect(problems({ defaults: { time_zone: "Mars/Olympus" } })).toEqual([
      "agents.defaults.time_zone must be the IANA name of a time zone, as Europe/Berlin",
    ]);
  });

  it.each([
    [
      { can_talk_to: ["ghost", "main"] },
      'agents.subagents.coder.can_talk_to must name known subagents; "ghost" is not known',
    ],
    [{ system_prompt_file: "/etc/AGENT.md" }, "agents.subagents.coder.system_prompt_file must be relative"],
    [{ system_prompt_file: "C:\\AGENT.md" }, "agents.subagents.coder.system_prompt_file must be relative"],
    [{ system_prompt_file: "../AGENT.md" }, "agents.subagents.coder.system_prompt_file must stay within the workspace"],
    [
      { system_prompt_file: "" },
      "agents.subagents.coder.system_prompt_file must not be empty when the subagent is enabled",
    ],
    [
      { notify_main_policy: "sometimes" },
      "agents.subagents.coder.notify_main_policy must be one of: final_only, milestone, on_blocked, always, internal_only",
    ],
    [{ transport: "node" }, "agents.subagents.coder.transport must be one of: local"],
    [{ type: "boss" }, "agents.subagents.coder.type must be one of: router, worker, reviewer, observer"],
    [{ runtime: { max_retries: -1 } }, "agents.subagents.coder.runtime.max_retries must be >= 0"],
    [
      { runtime: { provider: "nowhere" } },
      'agents.subagents.coder.runtime.provider must be a provider of models.providers; "nowhere" is none',
    ],
  ])("%j is told by its path", (change, message) => {
    expect(coder(change)).toEqual([message]);
  });

  it("peers have to name each other", () => {
    expect(coder({ accept_from: [] })).toEqual([
      'agents.subagents.main.can_talk_to must be reciprocated: agents.subagents.coder.accept_from does not name "main"',
    ]);
    expect(problems({ subagents: { ...good, main: { ...good.main, requires_main_mediation: true } } })).toEqual([
      "agents.subagents.main.requires_main_mediation must be false for main",
    ]);
  });

  it("the router's rules name subagents that exist and words that are some", () => {
    const router = {
      enabled: true,
      strategy: "magic",
      rules: [
        { agent_id: "ghost", keywords: ["x"] },
        { agent_id: "coder", keywords: [" "] },
      ],
    };
    expect(problems({ subagents: good, router })).toEqual([
      "agents.router.strategy must be one of: rules_first, round_robin, manual",
      'agents.router.rules.0.agent_id must exist in agents.subagents; "ghost" does not',
      "agents.router.rules.1.keywords must not be empty",
    ]);
  });

  it("compaction keeps less than what triggers it", () => {
    expect(problems({ defaults: { context_compaction: { trigger_messages: 20, keep_recent_messages: 20 } } })).toEqual([
      "agents.defaults.context_compaction.keep_recent_messages must be < trigger_messages",
    ]);
  });

  it.each(["responses_compact", "hybrid"])("compaction by %s is taken, and told that it is none", async (mode) => {
    const { host } = await chatHost();
    const path = "agents.defaults.context_compaction.mode";
    await host.config.write([{ path, value: mode }], { who: "test" });
    expect(host.config.problems()).toContainEqual({
      path,
      message: expect.stringMatching(new RegExp(`^is ${mode}, and that sums up as summary does`)),
      level: "warning",
    });
  });

  it("a change that breaks a rule is refused with the path, through the gateway's own door", async () => {
    const { host } = await chatHost();
    const edit = (path: string, value: unknown) => host.config.write([{ path, value }], { who: "test" });
    await expect(edit("agents.subagents.x", { enabled: true })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("agents.subagents.x.system_prompt_file"),
    });
    for (const [key, value] of Object.entries({
      trigger_messages: 0,
      target_ratio: 1,
      pressure_threshold: 1.5,
      mode: "magic",
    })) {
      await expect(edit(`agents.defaults.context_compaction.${key}`, value)).rejects.toMatchObject({
        message: expect.stringContaining(`agents.defaults.context_compaction.${key} must`),
      });
    }
    await edit("agents.subagents.x", { enabled: true, system_prompt_file: "agents/x.md" });
    expect(host.service(agent).profiles()).toContainEqual(expect.objectContaining({ id: "x", kind: "subagent" }));
  });
});
