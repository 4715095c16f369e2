/** ClawGo contract §1.2, §11.7: the config as its clients read it, and how a save that cannot be is refused. */
import { describe, expect, it } from "vitest";
import type { RunningGateway } from "../kit/gateway.ts";
import { askAsOwner, gatewayForAll } from "./kit.ts";

type Tree = { readonly [key: string]: never };

const save = (gateway: RunningGateway, body: unknown, query = "") =>
  askAsOwner(gateway, `/api/config${query}`, { body, headers: { "content-type": "application/json" } });

describe("1.2 reading", () => {
  const gateway = gatewayForAll();

  it("raw is the bare merged config, indented by two, without a line feed at its end", async () => {
    const { headers, text, json } = await askAsOwner(gateway(), "/api/config");
    expect(headers["content-type"]).toBe("application/json");
    expect(text).toBe(JSON.stringify(json(), null, 2));
    const config = json() as Tree;
    expect(config).not.toHaveProperty("ok");
    expect(config).toMatchObject({ gateway: { port: 18790 }, logging: { max_size_mb: 20, retention_days: 3 } });
    expect((await askAsOwner(gateway(), "/api/config?mode=raw")).text).toBe(text);
  });

  it.each(["?mode=hot", "?include_hot_reload_fields=1"])("%s adds what can be changed live", async (query) => {
    const { ok, config, hot_reload_fields, hot_reload_field_details, ...rest } = (
      await askAsOwner(gateway(), `/api/config${query}`)
    ).json() as Record<string, unknown[]>;
    expect(ok).toBe(true);
    expect(config).toMatchObject({ gateway: { port: 18790 } });
    expect(rest).toEqual({});
    expect(hot_reload_fields).toEqual(
      expect.arrayContaining(["logging.*", "agents.*", "models.providers.*", "gateway.*"]),
    );
    expect(hot_reload_field_details?.map((row) => (row as { path: string }).path)).toEqual(hot_reload_fields);
    for (const row of hot_reload_field_details ?? []) {
      expect(row).toEqual({
        path: expect.any(String) as unknown,
        name: expect.stringMatching(/\S/) as unknown,
        description: expect.stringMatching(/\S/) as unknown,
      });
    }
  });

  it("normalized has the view and the raw config, and the hot fields when they are asked for", async () => {
    const plain = (await askAsOwner(gateway(), "/api/config?mode=normalized")).json() as Tree;
    expect(Object.keys(plain).sort()).toEqual(["config", "ok", "raw_config"]);
    expect(plain).toMatchObject({
      ok: true,
      config: {
        core: { tools: { shell_enabled: true, mcp_enabled: false }, main_agent_id: "main", gateway: { port: 18790 } },
        runtime: { router: { strategy: "rules_first", max_hops: 6, default_timeout_sec: 600 }, providers: {} },
      },
      raw_config: { gateway: { port: 18790 } },
    });
    const withHot = (
      await askAsOwner(gateway(), "/api/config?mode=normalized&include_hot_reload_fields=1")
    ).json() as Tree;
    expect(Object.keys(withHot).sort()).toEqual([
      "config",
      "hot_reload_field_details",
      "hot_reload_fields",
      "ok",
      "raw_config",
    ]);
  });

  it("another mode is 400 in text, for reading and for saving", async () => {
    for (const answer of [
      await askAsOwner(gateway(), "/api/config?mode=yaml"),
      await save(gateway(), {}, "?mode=yaml"),
    ]) {
      expect(answer).toMatchObject({ status: 400, text: "unsupported config mode: yaml\n" });
      expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    }
  });
});

describe("2: a file as ClawGo writes it", () => {
  const gateway = gatewayForAll({
    config: {
      agents: { defaults: { model: { primary: "offline/offline" } }, router: { rules: null }, subagents: null },
      channels: { weixin: { enabled: false, accounts: null, allow_from: null } },
      models: {
        providers: {
          openai: { api_base: "https://api.openai.com/v1", models: ["gpt-5.4"], oauth: { scopes: null }, auth: null },
        },
      },
    },
  });

  it("has null where a list of Go is nil: that says nothing, and nothing is off for it", async () => {
    const { text } = await askAsOwner(gateway(), "/api/config");
    expect(text).not.toContain("null");
    const answer = await askAsOwner(gateway(), "/api/chat", { body: { message: "/echo on" } });
    expect(answer.json()).toMatchObject({ ok: true, reply: "on" });
    expect((await askAsOwner(gateway(), "/api/weixin/status")).json()).toMatchObject({ enabled: false });
  });
});

describe("11.7 POST /api/config, refused", () => {
  const gateway = gatewayForAll();

  it("is 400 with ok, error and errors in JSON; each error begins with its key", async () => {
    const answer = await save(gateway(), { gateway: { port: 70_000 }, logging: { max_size_mb: "big" } });
    expect(answer.status).toBe(400);
    expect(answer.headers["content-type"]).toBe("application/json");
    const { ok, error, errors } = answer.json() as { ok: boolean; error: string; errors: string[] };
    expect(ok).toBe(false);
    expect(errors).toHaveLength(2);
    expect(error).toBe(`invalid config: ${errors.join("; ")}`);
    expect(errors.map((text) => text.split(" must ")[0]).sort()).toEqual(["gateway.port", "logging.max_size_mb"]);
    expect((await askAsOwner(gateway(), "/api/config")).text).not.toContain("70000");
  });

  it("is 400 in text for what is no JSON object", async () => {
    const cases = [
      ["{", "", /^decode config: .+\n$/],
      ["[1]", "", /^decode config: .+\n$/],
      ["", "", /^decode config: .+\n$/],
      ['{"core":', "?mode=normalized", /^decode normalized config: .+\n$/],
    ] as const;
    for (const [body, query, text] of cases) {
      const answer = await save(gateway(), body, query);
      expect(answer, body).toMatchObject({ status: 400, text: expect.stringMatching(text) as unknown });
      expect(answer.headers["content-type"], body).toBe("text/plain; charset=utf-8");
    }
  });
});

describe("C6: the normalized view", () => {
  const provider = {
    api_base: "https://api.example.com/v1",
    api_key: "sk-secret",
    models: ["large"],
    max_tokens: 4096,
    temperature: 0.3,
    responses: { api: "responses" },
  };
  const gateway = gatewayForAll({
    config: {
      agents: {
        defaults: { model: { primary: "example/large" } },
        router: { enabled: false, strategy: "round_robin" },
        subagents: {
          coder: { enabled: true, system_prompt_file: "agents/coder/AGENT.md", runtime: { provider: "example" } },
        },
      },
      models: { providers: { example: provider } },
    },
  });

  it("shows default provider and model, prompt, provider, router strategy and what a provider is set to", async () => {
    const { config } = (await askAsOwner(gateway(), "/api/config?mode=normalized")).json() as Tree;
    const prompt = "agents/coder/AGENT.md";
    expect(config).toMatchObject({
      core: {
        default_provider: "example",
        default_model: "large",
        subagents: { coder: { enabled: true, prompt, provider: "example", runtime_class: "provider_bound" } },
      },
      runtime: {
        router: { enabled: false, strategy: "round_robin" },
        providers: {
          example: { max_tokens: 4096, temperature: 0.3, responses: { api: "responses" } },
        },
      },
    });
    expect(JSON.stringify(config)).not.toContain("sk-secret");
  });
});
