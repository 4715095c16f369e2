/** Approvals: the table of policy, presence and decision; deadlines, aborts and hashes. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { definePlugin } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { ruleFor } from "../../../plugins/tools/approvals/policy.ts";
import { attended, attending, live, next, runs, start } from "./asking.ts";

describe("the table", () => {
  const policies = ["allow", "ask", "deny"] as const;
  const risks = ["read", "write", "exec"] as const;
  const presences = ["nobody", "allow", "always", "deny"] as const;

  it.each(risks.flatMap((risk) => policies.map((policy) => [risk, policy] as const)))(
    "a tool of kind %s under %s",
    async (risk, policy) => {
      for (const byName of [false, true]) {
        const other = policy === "allow" ? "deny" : "allow";
        const approvals = byName ? { [risk]: other, tools: { [`probe_${risk}`]: policy } } : { [risk]: policy };
        const one = await start({ tools: { approvals } });
        for (const presence of presences) {
          const socket = presence === "nobody" ? undefined : await live(one);
          await attending(one, socket ? 1 : 0);
          const before = runs[risk]?.length ?? 0;
          const running = one.run(`probe_${risk}`, { text: presence }, { session: `s-${presence}` });
          if (socket && policy === "ask") {
            const { id, hash, tool, input } = await next(socket);
            expect({ tool, input }).toEqual({ tool: `probe_${risk}`, input: JSON.stringify({ text: presence }) });
            expect(runs[risk]).toHaveLength(before);
            socket.send({ id, hash, decision: presence });
          }
          const { ok, output, code } = await running;
          const expected = policy === "allow" || (policy === "ask" && (presence === "allow" || presence === "always"));
          expect(ok, `${policy} ${presence}: ${output}`).toBe(expected);
          expect(runs[risk]?.length).toBe(before + (expected ? 1 : 0));
          if (!expected) expect(code).toBe("TOOL_DENIED");
          socket?.close();
          await socket?.closed;
        }
        await one[Symbol.asyncDispose]();
      }
    },
  );

  it("the defaults: allow, allow, ask; exec, process and skill_exec are exec whatever they say; looking is not running", () => {
    const settings = { read: "allow", write: "allow", exec: "ask", tools: {}, timeout_sec: 1 } as const;
    const rule = (tool: string, risk: "read" | "write" | "exec", input: unknown = {}) =>
      ruleFor(settings, { tool, risk, input }).policy;
    expect(["read", "write", "exec"].map((risk) => rule("x", risk as "read"))).toEqual(["allow", "allow", "ask"]);
    for (const tool of ["exec", "process", "skill_exec"]) expect(rule(tool, "read"), tool).toBe("ask");
    for (const action of ["list", "read", "stop"]) expect(rule("process", "exec", { action })).toBe("allow");
    for (const action of ["start", "write"]) expect(rule("process", "exec", { action })).toBe("ask");
    // Names of what every object has decide nothing.
    for (const tool of ["constructor", "__proto__", "toString"]) expect(rule(tool, "exec"), tool).toBe("ask");
    expect(ruleFor({ ...settings, tools: { exec: "deny" } }, { tool: "exec", risk: "exec", input: {} })).toEqual({
      policy: "deny",
      setting: "tools.approvals.tools.exec",
    });
  });

  it("says how to allow it", async () => {
    const one = await start();
    const { output } = await one.run("exec", { command: "id" });
    expect(output).toContain("nobody is there to ask");
    expect(output).toContain("chela config set tools.approvals.tools.exec allow");
  });
});

describe("how a question ends", () => {
  it("by its deadline", async () => {
    const { one, socket } = await attended({ tools: { approvals: { timeout_sec: 1 } } });
    const running = one.run("exec", { command: "id" });
    const { id, hash } = await next(socket);
    expect((await running).output).toContain("nobody answered in time");
    expect(await next(socket)).toMatchObject({ type: "approval_resolved", id, decision: "expired", by: "" });
    socket.send({ id, hash, decision: "allow" });
    expect(await next(socket)).toMatchObject({ type: "approval_error", id, code: "APPROVAL_UNKNOWN" });
  });

  it("by the end of the turn", async () => {
    const { one, socket } = await attended();
    const stop = new AbortController();
    const running = one.run("exec", { command: "echo > proof" }, { signal: stop.signal });
    const { id, hash } = await next(socket);
    stop.abort();
    expect((await running).output).toContain("the turn was stopped");
    expect(await next(socket)).toMatchObject({ type: "approval_resolved", decision: "aborted" });
    socket.send({ id, hash, decision: "allow" });
    expect(await next(socket)).toMatchObject({ type: "approval_error" });
  });

  it("by the end of the plugin, which waits for no person", async () => {
    const { one, socket } = await attended({ config: { gateway: { reload: { drainMs: 200 } } } });
    const running = one.run("exec", { command: "id" });
    await next(socket);
    await one.host.plugins.disable("tools", "test");
    expect((await running).ok).toBe(false);
  });

  it("only with the hash of what was asked, and the words of the table", async () => {
    const { one, socket } = await attended();
    const first = one.run("exec", { command: "echo one" }, { session: "a" });
    const a = await next(socket);
    const second = one.run("exec", { command: "echo two" }, { session: "b" });
    const b = await next(socket);
    socket.send({ id: a.id, hash: b.hash, decision: "allow" });
    expect(await next(socket)).toMatchObject({ type: "approval_error", id: a.id, code: "APPROVAL_CHANGED" });
    socket.send({ id: a.id, hash: a.hash, decision: "yes" });
    expect(await next(socket)).toMatchObject({ type: "approval_error", code: "INVALID" });
    socket.send({ id: a.id, hash: a.hash.toUpperCase(), decision: "allow" });
    expect(await next(socket)).toMatchObject({ type: "approval_error", code: "APPROVAL_CHANGED" });
    socket.send({ id: a.id, hash: a.hash, decision: "allow" });
    expect((await first).output).toBe("one");
    expect(await next(socket)).toMatchObject({ type: "approval_resolved", id: a.id, decision: "allow", by: "token" });
    socket.send({ id: b.id, hash: b.hash, decision: "deny" });
    expect((await second).output).toContain("a person said no");
  });

  it("what was approved is what runs: nobody can change it afterwards", async () => {
    let held: Record<string, unknown> = {};
    const meddler = definePlugin({
      id: "meddler",
      version: "1.0.0",
      host: "^1.0.0",
      setup(ctx) {
        ctx.on("tool:before", ({ input }) => {
          held = input as Record<string, unknown>;
        });
        ctx.on("tool:before", ({ input }) => void Object.assign(input as object, { text: "late" }), "post");
      },
    });
    const { one, socket } = await attended({ plugins: [meddler] });
    const running = one.run("probe_exec", { text: "shown" });
    const { id, hash, input } = await next(socket);
    expect(() => {
      held.text = "changed";
    }).toThrow(TypeError);
    socket.send({ id, hash, decision: "allow" });
    await running;
    expect(runs.exec?.every((ran) => JSON.stringify(ran) === input)).toBe(true);
  });

  it.each([
    ["tools.approvals.exec", "deny", "denied by the setting tools.approvals.exec"],
    ["tools.shell.enabled", false, "switched off"],
  ])("a yes does not stand against what the operator set while it was awaited: %s", async (path, value, told) => {
    const { one, socket } = await attended();
    const running = one.run("exec", { command: "echo ran > proof" });
    const { id, hash } = await next(socket);
    await one.host.config.write([{ path, value }], { who: "test" });
    socket.send({ id, hash, decision: "allow" });
    expect((await running).output).toContain(told);
    expect(existsSync(join(one.root, "proof"))).toBe(false);
  });

  it("a text that is too long to be read is not asked about", async () => {
    const { one, socket } = await attended({ tools: { approvals: { write: "ask" } } });
    const { output } = await one.run("write_file", { path: "x", content: "x".repeat(300_000) });
    expect(output).toContain("too many to be shown");
    const running = one.run("write_file", { path: "x", content: "y".repeat(100_000) });
    const { id, hash, input } = await next(socket);
    expect(JSON.parse(input).content).toHaveLength(100_000);
    socket.send({ id, hash, decision: "allow" });
    expect((await running).ok).toBe(true);
  });
});
