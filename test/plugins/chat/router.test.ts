/** Which agent answers: rules, turns by turns, `@ID`, and who answered before. */
import { definePlugin } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { chatHost } from "./kit.ts";

const subagents = Object.fromEntries(
  ["coder", "writer"].map((id) => [
    id,
    { enabled: true, system_prompt_file: `agents/${id}.md`, runtime: { model: `fake/${id}` } },
  ]),
);

async function routed(router: Record<string, unknown>, plugins: Parameters<typeof chatHost>[0] = {}) {
  const chat = await chatHost({
    config: {
      agents: {
        subagents,
        router: { enabled: true, rules: [{ agent_id: "coder", keywords: ["Bug", "代码"] }], ...router },
      },
    },
    ...plugins,
  });
  const ask = async (text: string, session = "main") => {
    await chat.run({ text, session }).done;
    return chat.model.requests.at(-1)?.model;
  };
  return { ...chat, ask };
}

describe("the router", () => {
  it("follows the rules by keyword, and the agent stays with the session", async () => {
    const { ask } = await routed({});
    expect(await ask("hello")).toBe("fake/model");
    expect(await ask("there is a bug here")).toBe("fake/coder");
    expect(await ask("and now?")).toBe("fake/coder");
    expect(await ask("hello", "other")).toBe("fake/model");
    expect(await ask("看看代码", "third")).toBe("fake/coder");
  });

  it("keeps that over a reload, and forgets it with the session", async () => {
    const { say, host, model } = await routed({});
    const ask = async (text: string) => {
      await say(text);
      return model.requests.at(-1)?.model;
    };
    await ask("a bug");
    await host.plugins.reload("chat");
    expect(await ask("more")).toBe("fake/coder");
    await host.request("/api/sessions?key=main", { method: "DELETE" });
    expect(await ask("again")).toBe("fake/model");
  });

  it("keeps that under another key", async () => {
    const { ask, sessions } = await routed({});
    await ask("a bug", "old");
    await sessions.rename("old", "new");
    expect(await ask("more", "new")).toBe("fake/coder");
    expect(await ask("more", "old")).toBe("fake/model");
  });

  it("asks the rules each time when nobody owns a thread", async () => {
    const { ask } = await routed({ sticky_thread_owner: false });
    expect([await ask("a bug"), await ask("thanks")]).toEqual(["fake/coder", "fake/model"]);
  });

  it("lets people name the agent where that is allowed, and lead back to main", async () => {
    const { ask } = await routed({ allow_direct_agent_chat: true, strategy: "manual" });
    expect(await ask("@writer a poem")).toBe("fake/writer");
    for (const mark of [":", ",", "\uff1a", "\uff0c", "\u3001"]) {
      expect(await ask(`@coder${mark}看`, `with ${mark}`)).toBe("fake/coder");
    }
    expect(await ask("another bug")).toBe("fake/writer");
    expect(await ask("@main hello")).toBe("fake/model");
    expect(await ask("@nobody hello")).toBe("fake/model");
    const strict = await routed({ strategy: "manual" });
    expect(await strict.ask("@writer a poem")).toBe("fake/model");
  });

  it("gives sessions to the agents turn by turn", async () => {
    const { ask } = await routed({ strategy: "round_robin" });
    expect([await ask("x", "a"), await ask("x", "b"), await ask("x", "c"), await ask("y", "a")]).toEqual([
      "fake/coder",
      "fake/writer",
      "fake/coder",
      "fake/coder",
    ]);
  });

  it("comes after the caller's own choice and after plugins, and does nothing when it is off", async () => {
    const picker = definePlugin({
      id: "picker",
      version: "1.0.0",
      host: "^1.0.0",
      setup: (ctx) => ctx.on("agent:pick", ({ text }) => (text.includes("plugin") ? "writer" : undefined)),
    });
    const { ask, run, model } = await routed({}, { plugins: [picker] });
    expect(await ask("a bug for the plugin")).toBe("fake/writer");
    await run({ text: "a bug", agent: "writer", session: "x" }).done;
    expect(model.requests.at(-1)?.model).toBe("fake/writer");
    const off = await routed({ enabled: false });
    expect(await off.ask("a bug")).toBe("fake/model");
  });
});
