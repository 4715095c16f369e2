import { describe, expect, test } from "vitest";
import { rawFrom } from "../../../plugins/api-config/denormalize.ts";
import { editsFor } from "../../../plugins/api-config/merge.ts";
import { normalizedView } from "../../../plugins/api-config/normalized.ts";

const raw = {
  agents: {
    defaults: { model: { primary: "openai/gpt-5.4/preview" } },
    router: { enabled: true, max_hops: 3 },
    subagents: {
      coder: {
        enabled: true,
        role: "code",
        system_prompt_file: "agents/coder/AGENT.md",
        runtime: { provider: "openai" },
        tools: { allowlist: ["exec"] },
      },
      idle: { transport: "local" },
    },
  },
  models: {
    providers: {
      openai: {
        api_base: "https://x/v1",
        api_key: "__CHELA_REDACTED__",
        models: ["m"],
        oauth: { client_secret: "__CHELA_REDACTED__" },
      },
    },
  },
  gateway: { host: "127.0.0.1", port: 18790 },
};

describe("the normalized view", () => {
  test("shows ClawGo's fields, derived and defaulted, and no key or model list", () => {
    expect(normalizedView(raw)).toEqual({
      core: {
        default_provider: "openai",
        default_model: "gpt-5.4/preview",
        main_agent_id: "main",
        subagents: {
          coder: {
            enabled: true,
            role: "code",
            prompt: "agents/coder/AGENT.md",
            provider: "openai",
            tool_allowlist: ["exec"],
            runtime_class: "provider_bound",
          },
          idle: { enabled: false, runtime_class: "local" },
        },
        tools: { shell_enabled: true, mcp_enabled: false },
        gateway: { host: "127.0.0.1", port: 18790 },
      },
      runtime: {
        router: {
          enabled: true,
          strategy: "rules_first",
          allow_direct_agent_chat: false,
          max_hops: 3,
          default_timeout_sec: 600,
          sticky_thread_owner: true,
          rules: [],
        },
        providers: {
          openai: {
            auth: "",
            api_base: "https://x/v1",
            max_tokens: 0,
            temperature: 0,
            timeout_sec: 0,
            oauth: { client_secret: "__CHELA_REDACTED__" },
            runtime_persist: false,
            runtime_history_file: "",
            runtime_history_max: 0,
            responses: {},
          },
        },
      },
    });
    expect(normalizedView({})).toMatchObject({
      core: { default_provider: "", default_model: "", subagents: {}, gateway: { port: 0 } },
      runtime: { providers: {} },
    });
  });

  test("sent back as it is, changes nothing", () => {
    const view = normalizedView(raw);
    expect(editsFor(rawFrom(structuredClone(view), view), raw, raw)).toEqual([]);
  });
});

describe("a changed view", () => {
  const edits = (body: Record<string, unknown>) => editsFor(rawFrom(body, normalizedView(raw)), raw, raw);

  test("becomes edits of the raw config", () => {
    const body = {
      core: {
        default_provider: "zai",
        default_model: "glm",
        main_agent_id: "boss",
        tools: { shell_enabled: false, mcp_enabled: true },
        gateway: { host: "0.0.0.0", port: 7788 },
        subagents: {
          coder: { prompt: "p.md", provider: "", tool_allowlist: [] },
          fresh: { enabled: true, runtime_class: "local" },
        },
      },
      runtime: {
        router: { strategy: "manual", rules: [{ agent_id: "coder" }] },
        providers: { "z.ai": { api_base: "https://z/v1", timeout_sec: 30 } },
      },
    };
    expect(edits(body)).toEqual(
      expect.arrayContaining([
        { path: "agents.defaults.model.primary", value: "zai/glm" },
        { path: "agents.router.main_agent_id", value: "boss" },
        { path: "tools.shell.enabled", value: false },
        { path: "tools.mcp.enabled", value: true },
        { path: "gateway.host", value: "0.0.0.0" },
        { path: "gateway.port", value: 7788 },
        { path: "agents.subagents.coder.system_prompt_file", value: "p.md" },
        { path: "agents.subagents.coder.runtime.provider", value: "" },
        { path: "agents.subagents.coder.tools.allowlist", value: [] },
        { path: "agents.subagents.fresh.enabled", value: true },
        { path: "agents.subagents.fresh.transport", value: "local" },
        { path: "agents.router.strategy", value: "manual" },
        { path: "agents.router.rules", value: [{ agent_id: "coder" }] },
        { path: 'models.providers["z.ai"].api_base', value: "https://z/v1" },
        { path: 'models.providers["z.ai"].timeout_sec', value: 30 },
      ]),
    );
    expect(edits(body)).toHaveLength(15);
  });

  test("with the empty fields of a form makes an entry without them: 0 is no temperature there", () => {
    const provider = {
      auth: "",
      api_base: "https://n/v1",
      max_tokens: 0,
      temperature: 0,
      oauth: {},
      runtime_persist: false,
      runtime_history_file: "",
      runtime_history_max: 0,
      responses: {},
    };
    expect(
      edits({
        core: { subagents: { spare: { enabled: false, runtime_class: "default" } } },
        runtime: { providers: { next: provider } },
      }),
    ).toEqual([
      { path: "agents.subagents.spare", value: {} },
      { path: "models.providers.next.api_base", value: "https://n/v1" },
    ]);
  });

  test("keeps what it does not name, and needs both halves of the model", () => {
    expect(
      edits({
        core: { default_model: "other", main_agent_id: "", gateway: { host: "", port: 0 } },
        runtime: { router: { max_hops: 0 } },
      }),
    ).toEqual([]);
    expect(edits({})).toEqual([]);
  });

  test("of a wrong type is refused with its place", () => {
    const bad: [Record<string, unknown>, string][] = [
      [{ core: 7 }, "core must be an object"],
      [{ core: { tools: { shell_enabled: "no" } } }, "core.tools.shell_enabled must be true or false"],
      [{ core: { gateway: { port: "80" } } }, "core.gateway.port must be a number"],
      [{ core: { default_model: 7 } }, "core.default_model must be a string"],
      [{ core: { subagents: { a: { runtime_class: 7 } } } }, "core.subagents.a.runtime_class must be a string"],
      [{ runtime: { router: { rules: {} } } }, "runtime.router.rules must be a list"],
      [{ runtime: { providers: { x: [] } } }, "runtime.providers.x must be an object"],
    ];
    for (const [body, text] of bad) expect(() => edits(body)).toThrow(`decode normalized config: ${text}`);
  });
});
