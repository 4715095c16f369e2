/** kill -9 and SIGTERM while everything is at work: what was acknowledged is there once, nobody is left behind, and the next life goes on. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { RunningGateway } from "../kit/gateway.ts";
import { until } from "../kit/until.ts";
import { checkSessions, entries } from "../load/mix/check.ts";
import { doJob, Ledger, type Said } from "../load/mix/jobs.ts";
import { type Pace, startPace } from "../load/mix/pace.ts";
import { processesOf, type Rig, startRig } from "../load/mix/rig.ts";
import { chat, result } from "./kit.ts";

const slow = "/slow 60000";
const spoken = "This reply of the offline model was spread over 60000 milliseconds, word by word.";
/** More of them by hand: CHELA_TEST_ROUNDS=20. */
const rounds = Number(process.env.CHELA_TEST_ROUNDS ?? 4);

/** A reply that takes its time, and programs that do not end by themselves. */
function endless({ gateway, stateDir }: Rig, round: number): void {
  const quiet = (work: Promise<unknown>) => void work.catch(() => undefined);
  quiet(chat(gateway, slow, `slow-${round}`));
  const args = `"args":["-f","${join(stateDir, "config.json")}"]`;
  quiet(chat(gateway, `/tool exec {"command":"tail",${args}}`, `exec-${round}`));
  quiet(chat(gateway, `/tool process {"action":"start","command":"tail",${args}}`, `process-${round}`));
  quiet(
    chat(gateway, `/tool exec {"command":"trap '' TERM; tail -f ${join(stateDir, "config.json")}"}`, `shell-${round}`),
  );
}

async function check(rig: Rig, ledger: Ledger): Promise<void> {
  const { gateway, stateDir } = rig;
  expect(await result(gateway, "store.integrity")).toMatchObject({ problems: [] });
  expect(await result(gateway, "gateway.status")).toMatchObject({ safeMode: false, config: { trouble: null } });
  // A retry gets the outcome of the first, or runs what was cut off.
  const open = [...ledger.tried].filter(([message]) => !ledger.said.has(message));
  for (const [message, said] of [...open, ...[...ledger.said].slice(-3)]) await again(gateway, message, said, ledger);
  await checkSessions(gateway, ledger);
  for (const [id, content] of ledger.uploads)
    expect(await (await gateway.fetch(`/api/upload/${id}`)).text()).toBe(content);
  for (const [path, content] of ledger.memory) {
    const found = (await (await gateway.fetch(`/api/memory?path=${path}`)).json()) as { content: string };
    expect([content, ...(ledger.remembering.get(path) ?? [])]).toContain(found.content);
  }
  await until(() => litter(stateDir).length === 0, 5000, "temporary files to be gone").catch(() => undefined);
  expect(litter(stateDir)).toEqual([]);
}

async function again(gateway: RunningGateway, message: string, said: Said, ledger: Ledger): Promise<void> {
  const { session, reply, key } = said;
  const body = JSON.stringify({ session, message, idempotencyKey: key });
  const answer = await gateway.fetch("/api/chat", { method: "POST", body });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  expect((JSON.parse(text) as { reply: string }).reply).toBe(reply);
  ledger.said.set(message, said);
}

function litter(stateDir: string): string[] {
  const names = readdirSync(stateDir, { recursive: true }).map(String);
  const waiting = existsSync(join(stateDir, "tmp")) ? readdirSync(join(stateDir, "tmp")) : [];
  const running = /^gateway\.json/;
  return [...names.filter((name) => /\.tmp$|\.staging|\.lock\b|\.part$/.test(name) && !running.test(name)), ...waiting];
}

/** Model calls of a day, of all models. */
async function calls(gateway: RunningGateway): Promise<number> {
  const { total } = (await (await gateway.fetch("/api/usage?since=1d")).json()) as { total: { calls: number } };
  return total.calls;
}

/** Under load for a while; every number is used once. */
function load(rig: Rig, ledger: Ledger): Pace {
  const { gateway } = rig;
  return startPace(() => doJob({ gateway, ledger, n: ledger.next() }), 150, 16);
}

it("kill -9 under load: nothing acknowledged is lost or doubled, nobody is left behind, all goes on", async () => {
  const rig = await startRig();
  const ledger = new Ledger();
  for (let round = 0; round < rounds; round += 1) {
    const { gateway } = rig;
    const counted = (await calls(gateway)) - ledger.calls.length;
    endless(rig, round);
    const [from, begun] = [performance.now(), ledger.calls.length];
    const pace = load(rig, ledger);
    const longer = (round % 4) * 700;
    await until(() => pace.done >= 40 && performance.now() - from > longer, 20_000, "some of the work");
    const settled = ledger.calls.filter((at) => at < performance.now() - 2000).length;
    gateway.signal("SIGKILL");
    expect(await gateway.ended).toBe("SIGKILL");
    await pace.end();
    expect(pace.failures.filter((text) => !/fetch failed|terminated|other side closed/.test(text))).toEqual([]);
    await until(() => processesOf(rig.stateDir).length === 0, 10_000, "children of the killed gateway to end");
    await rig.start();
    expect(await calls(rig.gateway)).toBeGreaterThanOrEqual(counted + Math.max(settled, begun));
    await check(rig, ledger);
    const [asked, half] = await entries(rig.gateway, `slow-${round}`);
    if (asked) expect(asked).toMatchObject({ role: "user", content: slow });
    if (half) expect(half).toMatchObject({ role: "assistant", state: "partial" });
    if (half) expect(spoken).toContain(half.content);
  }
  expect(ledger.said.size).toBeGreaterThan(rounds);
  expect(ledger.uploads.size).toBeGreaterThan(rounds);
}, 300_000);

it("SIGTERM under load: it ends within its grace, in good order, and no turn is lost", async () => {
  const rig = await startRig();
  const ledger = new Ledger();
  for (const held of [false, true]) {
    const { gateway } = rig;
    if (held) endless(rig, 0);
    const pace = load(rig, ledger);
    await until(() => pace.done >= 60, 20_000, "some of the work");
    const from = performance.now();
    gateway.signal("SIGTERM");
    expect(await gateway.ended, gateway.output().stderr.slice(-3000)).toBe(0);
    // 3 s of grace, and what a loaded machine adds.
    expect(performance.now() - from).toBeLessThan(15_000);
    await pace.end();
    const refusals = pace.failures.filter((text) => !/fetch failed|terminated/.test(text));
    expect(refusals.filter((text) => !/: 50[34] /.test(text))).toEqual([]);
    if (!held) expect(refusals).toEqual([]);
    await until(() => processesOf(rig.stateDir).length === 0, 10_000, "children of the ended gateway to end");
    expect(litter(rig.stateDir)).toEqual([]);
    await rig.start();
    await check(rig, ledger);
  }
}, 120_000);
