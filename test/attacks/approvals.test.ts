/** S-40, S-50, S-77 and their kin: who hears of a call that waits for a person, who may answer, and who can be in the way. */
import type { Approval } from "@chela/sdk";
import { approvals } from "@chela/sdk";
import type { TestSocket } from "@chela/sdk/testing";
import { expect, it } from "vitest";
import { until } from "../kit/until.ts";
import { attacked, bearer, call, keyWith, send, upgrade } from "./kit.ts";

type Host = Awaited<ReturnType<typeof attacked>>;

async function open(host: Host, path: string, token: string): Promise<TestSocket> {
  const socket = await upgrade(host, path, bearer(token));
  if (typeof socket === "number") throw new Error(`${path} refused with ${socket}`);
  return socket;
}

const pending = (host: Host): readonly Approval[] => host.service(approvals).pending();
const exec = (host: Host, token: string, text: string, sessionKey = "main") =>
  send(host, "/v1/tools/invoke", {
    headers: { ...bearer(token), "content-type": "application/json" },
    body: JSON.stringify({ tool: "exec", args: { command: "echo", args: [text] }, sessionKey }),
  });

it("readers of events learn that a call waits, not what it says nor what answers it", async () => {
  const host = await attacked();
  const [reader, writer] = [await keyWith(host, ["read"]), await keyWith(host, ["write"])];
  const events = await open(host, "/api/events/live?since=0", reader);
  const desk = await open(host, "/api/approvals/live", host.token);
  const running = exec(host, writer, "canary-of-the-input");
  const asked = (await desk.next(20_000)) as Approval;
  expect(asked.input).toContain("canary-of-the-input");
  desk.send({ id: asked.id, hash: asked.hash, decision: "deny" });
  expect((await running).status).toBe(403);
  const heard: string[] = [];
  await until(async () => {
    heard.push(JSON.stringify(await events.next(20_000)));
    return heard.some((frame) => frame.includes("approval_resolved"));
  }, 20_000);
  const asking = heard.find((frame) => frame.includes("approval_requested"));
  expect(asking).toContain(asked.id);
  expect(asking).not.toContain("canary-of-the-input");
  expect(asking).not.toContain(asked.hash);
});

it("S-40, S-50: nobody below admin attends or answers, not even to his own call", async () => {
  const host = await attacked();
  const writer = await keyWith(host, ["write"]);
  expect(await upgrade(host, "/api/approvals/live", bearer(writer))).toBe(403);
  expect((await exec(host, writer, "x")).text).toContain("nobody is there to ask");
  await open(host, "/api/approvals/live", host.token);
  const running = exec(host, writer, "x");
  const [asked] = await until(() => (pending(host).length > 0 ? pending(host) : undefined), 20_000);
  const { id, hash } = asked as Approval;
  for (const decision of ["allow", "always"]) {
    expect((await call(host, "approvals.decide", { id, hash, decision }, writer)).status).toBe(403);
    const body = JSON.stringify({ hash, decision });
    expect((await send(host, `/api/approvals/${id}`, { headers: bearer(writer), body })).status).toBe(403);
    expect((await send(host, `/api/approvals/${id}`, { body })).status).toBe(401);
  }
  for (const wrong of [
    { id, hash: "0".repeat(64), decision: "allow" },
    { id, hash: "", decision: "allow" },
    { id: "", hash, decision: "allow" },
    { id: "a_x", hash, decision: "allow" },
    { id, decision: "allow" },
  ])
    expect((await call(host, "approvals.decide", wrong)).body.ok).toBe(false);
  expect(pending(host)).toHaveLength(1);
  expect((await call(host, "approvals.decide", { id, hash, decision: "deny" })).body.ok).toBe(true);
  expect((await call(host, "approvals.decide", { id, hash, decision: "allow" })).status).toBe(404);
  expect((await running).status).toBe(403);
});

it("what was approved once is not approved again, nor for another key, session or text", async () => {
  const host = await attacked();
  const [one, two] = [await keyWith(host, ["write"], { name: "one" }), await keyWith(host, ["write"], { name: "two" })];
  const desk = await open(host, "/api/approvals/live", host.token);
  const answer = async (decision: string) => {
    for (;;) {
      const frame = (await desk.next(20_000)) as Approval & { type: string };
      if (frame.type !== "approval_requested") continue;
      desk.send({ id: frame.id, hash: frame.hash, decision });
      return;
    }
  };
  const asked = async (running: Promise<{ text: string }>, decision: string) => {
    await answer(decision);
    return (await running).text;
  };
  expect(await asked(exec(host, one, "first"), "allow")).toContain("first");
  expect(await asked(exec(host, one, "first"), "deny")).toContain("a person said no");
  expect(await asked(exec(host, one, "second"), "always")).toContain("second");
  expect((await exec(host, one, "third")).text).toContain("third");
  expect(await asked(exec(host, two, "third"), "deny")).toContain("a person said no");
  expect(await asked(exec(host, one, "third", "elsewhere"), "deny")).toContain("a person said no");
});

it("S-96: one key cannot take the places of all others", { timeout: 60_000 }, async () => {
  const host = await attacked();
  const [greedy, other] = [await keyWith(host, ["write"], { name: "greedy" }), await keyWith(host, ["write"])];
  const desk = await open(host, "/api/approvals/live", host.token);
  const many = Array.from({ length: 220 }, (_, i) => exec(host, greedy, `${i}`, `session-${i}`));
  await until(() => pending(host).length >= 32, 20_000);
  const refused = await Promise.race(many);
  expect(refused.text).toContain("too many calls wait");
  const mine = exec(host, other, "mine");
  await until(() => pending(host).some(({ input }) => input.includes("mine")), 20_000);
  desk.close();
  for (const { id, hash } of pending(host)) await call(host, "approvals.decide", { id, hash, decision: "deny" });
  expect((await mine).text).toContain("a person said no");
  await Promise.all(many);
});
