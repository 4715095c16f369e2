/** What a model is asked: the history within its bounds, the choices of agent and caller, what plugins make of it. */
import { agent, definePlugin, GatewayError, tools } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { callsTools, chatHost, lastText, modelId, says, toolCall } from "./kit.ts";

describe("the request to the model", () => {
  it("carries the agent's and the caller's choices", async () => {
    const { run, model } = await chatHost({
      config: {
        agents: { defaults: { max_tokens: 100, temperature: 0.2, model: { primary: "a/main", fallbacks: ["b/x"] } } },
      },
    });
    await run({ session: null }).done;
    expect(model.requests[0]).toMatchObject({ model: "a/main", fallbacks: ["b/x"], maxTokens: 100, temperature: 0.2 });
    await run({ session: null, model: "c/other", options: { maxTokens: 5, toolChoice: "none", extra: { seed: 1 } } })
      .done;
    expect(model.requests[1]).toMatchObject({
      model: "c/other",
      fallbacks: [],
      maxTokens: 5,
      toolChoice: "none",
      extra: { seed: 1 },
    });
  });

  it("holds so much of the history, cut where a model accepts it", async () => {
    const { run, model, sessions } = await chatHost({ config: { agents: { defaults: { context_messages: 3 } } } });
    await sessions.append("main", [
      { role: "user", content: "old" },
      { role: "assistant", content: "", toolCalls: [toolCall("1", "look")] },
      { role: "tool", content: "r", toolCallId: "1" },
      { role: "assistant", content: "seen" },
      { role: "user", content: "more" },
    ]);
    await run({ text: "now" }).done;
    expect(model.requests[0]?.messages.slice(1).map(({ content }) => content)).toEqual(["seen", "more", "now"]);
  });

  it("belongs to the agent that is asked for, or that a plugin picks", async () => {
    const picker = definePlugin({
      id: "picker",
      version: "1.0.0",
      host: "^1.0.0",
      setup: (ctx) => ctx.on("agent:pick", ({ text }) => (text.startsWith("@poet") ? "poet" : undefined)),
    });
    const entries = {
      poet: { model: "p/poet", system_prompt: "Rhyme.", about: "Writes poems" },
      main: { system_prompt: "Main." },
    };
    const { run, model, host } = await chatHost({ plugins: [picker], config: { agents: { entries } } });
    const asked = () => [
      model.requests.at(-1)?.model,
      String(model.requests.at(-1)?.messages[0]?.content).split("\n")[0],
    ];
    await run({ session: null }).done;
    expect(asked()).toEqual([modelId, "Main."]);
    await run({ session: null, agent: "poet" }).done;
    expect(asked()).toEqual(["p/poet", "Rhyme."]);
    await run({ session: null, text: "@poet hi" }).done;
    expect(asked()).toEqual(["p/poet", "Rhyme."]);
    await expect(run({ session: null, agent: "nobody" }).done).rejects.toMatchObject({
      code: "AGENT_UNKNOWN",
      status: 404,
    });
    await expect(run({ session: null, agent: "constructor" }).done).rejects.toMatchObject({ code: "AGENT_UNKNOWN" });
    const agents = host.service(agent).agents();
    expect(agents).toEqual([
      { id: "main", about: "The main agent", model: modelId },
      { id: "poet", about: "Writes poems", model: "p/poet" },
    ]);
  });

  it("passes through the hooks, and so does the reply", async () => {
    const seen: string[] = [];
    const hooks = definePlugin({
      id: "hooks",
      version: "1.0.0",
      host: "^1.0.0",
      setup: (ctx) => {
        ctx.on("message:in", (message) => ({ ...message, text: `${message.text}!` }));
        ctx.on("model:request", (request) => ({ ...request, temperature: 1 }));
        ctx.on("model:chunk", (text) => void seen.push(text));
        ctx.on("model:reply", (answer) => ({ ...answer, text: `[${answer.text}]` }));
        ctx.on("message:out", (message) => {
          if (message.text.includes("secret")) throw new GatewayError("MODERATED", 403, "not that");
          return { ...message, text: `<${message.text}>` };
        });
      },
    });
    const { run, model, history } = await chatHost({ plugins: [hooks] });
    model.answer = (request) => says("a", lastText(request));
    expect(await run({ text: "b" }).done).toMatchObject({ text: "<[ab!]>" });
    expect(model.requests[0]).toMatchObject({ temperature: 1 });
    expect(seen).toEqual(["a", "b!"]);
    await expect(run({ text: "secret" }).done).rejects.toMatchObject({ code: "MODERATED", status: 403 });
    expect(await history()).toEqual(["user: b!", "assistant: <[ab!]>", "user: secret!"]);
  });

  it("follows the config without a restart", async () => {
    const { run, model, host } = await chatHost();
    const edits = [{ path: "agents.defaults.system_prompt", value: "New." }];
    expect(await host.config.write(edits, { who: "test" })).toMatchObject({
      applied: ["agents.defaults.system_prompt"],
      restarted: [],
    });
    await run({ session: null }).done;
    expect(model.requests[0]?.messages[0]).toEqual({ role: "system", content: expect.stringMatching(/^New\.\n/) });
  });
});

describe("what a model is given", () => {
  const config = { agents: { defaults: { context_chars: 4_000 } } };

  it("is bounded in characters too, the newest first, without half a round of tools", async () => {
    const { run, model, sessions } = await chatHost({ config });
    const call = toolCall("1", "look");
    await sessions.append("main", [
      { role: "user", content: "a".repeat(1_600) },
      { role: "assistant", content: "", toolCalls: [call] },
      { role: "tool", content: "b".repeat(1_600), toolCallId: "1" },
      { role: "assistant", content: "c".repeat(1_600) },
      { role: "user", content: [{ type: "image", url: `data:image/png;base64,${"d".repeat(5_000)}` }] },
    ]);
    await run({ text: "e".repeat(5_000) }).done;
    const [, ...sent] = model.requests[0]?.messages ?? [];
    expect(sent.map(({ role, content }) => [role, content.length])).toEqual([
      ["assistant", 1_600],
      ["user", 1],
      ["user", 5_000],
    ]);
  });

  it("of one tool is a quarter of that at most, and says so", async () => {
    const flood = definePlugin({
      id: "flood",
      version: "1.0.0",
      host: "^1.0.0",
      needs: {},
      setup: (ctx) =>
        ctx.tool({
          name: "flood",
          about: "Floods",
          input: { type: "object" } as never,
          access: "read",
          risk: "read",
          run: () => "x".repeat(10_000_000),
        }),
    });
    const { run, model, sessions, host } = await chatHost({ config, plugins: [flood] });
    expect(
      host
        .service(tools)
        .list()
        .some(({ name }) => name === "flood"),
    ).toBe(true);
    const replies = [callsTools([toolCall("1", "flood")]), says("done")];
    model.answer = () => replies.shift() as ReturnType<typeof says>;
    await run({ text: "go" }).done;
    const given = model.requests[1]?.messages.at(-1)?.content as string;
    expect(given.length).toBeLessThan(1_100);
    expect(given).toMatch(/^x{1000}\n\[cut: \d+ characters in all\]$/);
    expect((await sessions.history("main"))[2]).toMatchObject({ role: "tool", content: given });
  });
});
