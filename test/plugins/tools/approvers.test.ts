/** Approvals: `always`, who may decide, where it is asked, and that every door tells the same. */
import { approvals, definePlugin, type Identity, Type } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import keys from "../../../plugins/keys/index.ts";
import { until } from "../../kit/until.ts";
import { attended, attending, live, next, type Request, start } from "./asking.ts";
import { admin, type Bench, reader, writer } from "./kit.ts";

describe("always", () => {
  it("is this tool in this session for who asked, and nothing else", async () => {
    const { one, socket } = await attended();
    const decide = async (decision: string) => {
      const { id, hash } = await next(socket);
      socket.send({ id, hash, decision });
      expect(await next(socket)).toMatchObject({ type: "approval_resolved", decision });
    };
    const first = one.run("exec", { command: "echo 1" });
    await decide("always");
    expect((await first).ok).toBe(true);
    expect(await one.ok("exec", { command: "echo 2" })).toBe("2");
    const others: [string, object][] = [
      ["exec", { session: "other" }],
      ["exec", { identity: writer }],
      ["exec", { agent: "coder" }],
      ["exec", { session: null }],
      ["probe_exec", {}],
    ];
    for (const [tool, turn] of others) {
      const running = one.run(tool, { command: "echo 3" }, turn);
      await decide("deny");
      expect((await running).ok, JSON.stringify([tool, turn])).toBe(false);
    }
    // A deny by name is stronger than what a person once said.
    await one.host.config.write([{ path: "tools.approvals.tools.exec", value: "deny" }], { who: "test" });
    expect((await one.run("exec", { command: "echo 4" })).output).toContain("tools.approvals.tools.exec");
  });
});

describe("who", () => {
  const attendAs = (one: Bench, who: Identity) => one.host.service(approvals).attend(who);

  it("only admin may attend, read and decide", async () => {
    const one = await start({ plugins: [keys] });
    for (const who of [reader, writer]) expect(() => attendAs(one, who)).toThrow("admin");
    const body = { method: "keys.add", params: { name: "w", scopes: ["write"] } };
    const { key } = await callAs(one, body);
    await expect(one.host.connect("/api/approvals/live", { token: key })).rejects.toThrow("403");
    expect((await one.host.request("/api/approvals", { token: key })).status).toBe(403);
    expect(
      (
        await one.host.request("/api/approvals/x", {
          method: "POST",
          body: { hash: "0".repeat(64), decision: "allow" },
          token: key,
        })
      ).status,
    ).toBe(403);
    const leave = attendAs(one, admin);
    const running = one.run("exec", { command: "id" }, { identity: writer });
    await until(() => one.host.service(approvals).pending().length === 1, 20_000);
    const [waiting] = one.host.service(approvals).pending();
    await expect(
      one.host.service(approvals).decide(waiting?.id ?? "", waiting?.hash ?? "", "allow", writer),
    ).rejects.toThrow("admin");
    await one.host.service(approvals).decide(waiting?.id ?? "", waiting?.hash ?? "", "allow", admin);
    expect((await running).ok).toBe(true);
    leave();
    expect((await one.run("exec", { command: "id" })).ok).toBe(false);
  });

  it("a direct call of an admin counts as approved, one of anybody else does not, and a deny stays a deny", async () => {
    const one = await start();
    expect(await one.ok("exec", { command: "echo hi" }, { origin: "direct" })).toBe("hi");
    expect((await one.run("exec", { command: "echo hi" }, { origin: "direct", identity: writer })).ok).toBe(false);
    expect((await one.run("exec", { command: "echo hi" }, { origin: "direct", identity: reader })).code).toBe(
      "FORBIDDEN",
    );
    expect((await one.run("exec", { command: "echo hi", origin: "direct", approved: true })).ok).toBe(false);
    await one.host.config.write([{ path: "tools.approvals.exec", value: "deny" }], { who: "test" });
    expect((await one.run("exec", { command: "echo hi" }, { origin: "direct" })).ok).toBe(false);
  });

  it("who attends to one session is asked for that one only, and for the subagents of it", async () => {
    const one = await start();
    const socket = await live(one, "?session=mine");
    await attending(one, 1);
    expect((await one.run("exec", { command: "id" }, { session: "other" })).output).toContain("nobody is there");
    for (const turn of [{ session: "mine" }, { session: "subagent:1", root: "mine" }]) {
      const running = one.run("exec", { command: "echo ok" }, turn);
      const asked = await next(socket);
      expect(asked.session).toBe(turn.session);
      socket.send({ id: asked.id, hash: asked.hash, decision: "allow" });
      expect((await running).output).toBe("ok");
      expect(await next(socket)).toMatchObject({ type: "approval_resolved" });
    }
    socket.close();
    await attending(one, 0);
    expect((await one.run("exec", { command: "id" }, { session: "mine" })).output).toContain("nobody is there");
  });

  async function callAs(one: Bench, body: { method: string; params: unknown }): Promise<{ key: string }> {
    const call = { identity: admin, id: "1", signal: new AbortController().signal };
    return (await one.host.gateway.call(body.method, body.params, call)) as { key: string };
  }
});

describe("the doors", () => {
  it("routes, methods and events tell the same", async () => {
    const one = await start();
    const leave = one.host.service(approvals).attend(admin);
    const running = one.run("exec", { command: "echo via http" });
    await until(() => one.host.service(approvals).pending().length === 1, 20_000);
    const list = (await one.host.request("/api/approvals")).json() as { ok: boolean; approvals: Request[] };
    expect(list).toMatchObject({ ok: true, attending: 1, approvals: [{ tool: "exec", session: "main" }] });
    const [{ id, hash }] = list.approvals as [Request];
    const wrong = await one.host.request(`/api/approvals/${id}`, {
      method: "POST",
      body: { hash: "0".repeat(64), decision: "allow" },
    });
    expect(wrong.status).toBe(409);
    const right = await one.host.request(`/api/approvals/${id}`, { method: "POST", body: { hash, decision: "allow" } });
    expect(right.json()).toEqual({ ok: true, id, decision: "allow" });
    expect((await running).output).toBe("via http");
    const again = await one.host.request(`/api/approvals/${id}`, { method: "POST", body: { hash, decision: "allow" } });
    expect(again.status).toBe(404);
    leave();
  });

  it("whoever comes later is told what waits, and the number that waits is bounded", async () => {
    const one = await start();
    const leave = one.host.service(approvals).attend(admin);
    const many = Array.from({ length: 40 }, (_, i) => one.run("exec", { command: `echo ${i}` }));
    const pending = () => one.host.service(approvals).pending();
    await until(() => pending().length === 32, 20_000);
    const socket = await live(one);
    const seen = new Set<string>();
    for (let i = 0; i < 32; i += 1) {
      const { type, id, hash } = await next(socket);
      expect(type).toBe("approval_requested");
      seen.add(id);
      socket.send({ id, hash, decision: "deny" });
    }
    expect(seen.size).toBe(32);
    const answers = await Promise.all(many);
    expect(answers.filter(({ output }) => output.includes("too many calls wait"))).toHaveLength(8);
    leave();
  });
});

describe("a tool that changes", () => {
  it("is asked about anew: what a person said was about the tool as it was", async () => {
    let redefine: (about: string) => Promise<void> = async () => undefined;
    const shifty = definePlugin({
      id: "shifty",
      version: "1.0.0",
      host: "^1.0.0",
      setup(ctx) {
        const tool = (about: string) => ({
          name: "shifty",
          about,
          input: Type.Object({}),
          risk: "exec" as const,
          access: "read" as const,
          run: () => about,
        });
        ctx.tool(tool("harmless"));
        redefine = (about) => ctx.retool([tool(about)]);
      },
    });
    const { one, socket } = await attended({ plugins: [shifty] });
    const first = one.run("shifty");
    const { id, hash } = await next(socket);
    socket.send({ id, hash, decision: "always" });
    expect((await first).output).toBe("harmless");
    expect(await next(socket)).toMatchObject({ type: "approval_resolved" });
    expect(await one.ok("shifty")).toBe("harmless");
    await redefine("does something else now");
    const second = one.run("shifty");
    const asked = await next(socket);
    expect(asked).toMatchObject({ type: "approval_requested", tool: "shifty" });
    socket.send({ id: asked.id, hash: asked.hash, decision: "deny" });
    expect((await second).ok).toBe(false);
  });

  it("a stop does not wait for a person: what is asked is answered at once", async () => {
    const { one, socket } = await attended({ config: { gateway: { reload: { drainMs: 60_000 } } } });
    const running = one.run("exec", { command: "id" });
    await next(socket);
    const from = performance.now();
    await one.host.plugins.disable("tools", "test");
    expect((await running).output).toContain("stopping or reloading");
    expect(performance.now() - from).toBeLessThan(10_000);
  });
});

describe("while nobody can decide", () => {
  it("nothing but reading is done: a plugin that is broken must not open what it guards", async () => {
    const one = await start({ tools: { approvals: { exec: "no such word" } }, plugins: [] });
    expect(one.host.plugins.list().find(({ id }) => id === "tools")?.state).toBe("failed");
    expect((await one.run("probe_read")).ok).toBe(true);
    for (const tool of ["probe_write", "probe_exec"]) {
      expect(await one.run(tool), tool).toMatchObject({ ok: false, code: "TOOL_DENIED" });
      expect(await one.fails(tool, {}, { origin: "direct" })).toContain(
        'plugin "tools", which decides about approval, is failed',
      );
    }
    await one.host.plugins.disable("tools", "test");
    expect((await one.run("probe_write")).ok).toBe(true);
  });
});
