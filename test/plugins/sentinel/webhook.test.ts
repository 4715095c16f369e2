/** The way to the webhook: what it answers, what waits for it, what must not be seen of its address. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { Outbox } from "../../../plugins/sentinel/outbox.ts";
import type { Notice } from "../../../plugins/sentinel/watch.ts";
import { until } from "../../kit/until.ts";
import { fine, ill, rig, webhook } from "./kit.ts";

const pulse = 'check "pulse" of patient';

afterEach(() => void vi.restoreAllMocks());

it("waits for a webhook that fails, says so once, and then tells the newest state alone", async () => {
  let status = 500;
  const hook = await webhook((res) => void res.writeHead(status).end("no"));
  const gateway = await rig({ webhook_url: hook.url });
  const asked = (times: number) => until(() => hook.seen.length === times);
  gateway.pulse(ill("weak"));
  await gateway.look();
  await asked(1);
  await gateway.look();
  await asked(2);
  const trouble = `${hook.origin} answered 500`;
  await until(async () => (await gateway.status()).trouble === trouble);
  expect(await gateway.status()).toMatchObject({ waiting: 1, answeredAt: null });
  expect(gateway.warnings().filter((line) => line.includes(trouble))).toHaveLength(1);
  gateway.pulse(fine);
  status = 200;
  await gateway.look();
  await asked(3);
  expect(hook.told().at(-1)).toMatchObject({ message: `sentinel: ${pulse} is well again after 2 min` });
  await until(async () => (await gateway.status()).waiting === 0);
  expect(await gateway.status()).toMatchObject({ trouble: "", answeredAt: expect.any(Number) as unknown });
  await gateway.look(2);
  expect(hook.seen).toHaveLength(3);
});

it("sends what waits to an address that is put right, and forgets it when there is none", async () => {
  const hook = await webhook();
  const gateway = await rig({ webhook_url: "http://127.0.0.1:9/discard" });
  gateway.pulse(ill("weak"));
  await gateway.look();
  await until(async () => (await gateway.status()).trouble !== "");
  await gateway.set("sentinel.webhook_url", hook.url);
  await gateway.look();
  await until(() => hook.told().length === 1);
  await gateway.set("sentinel.webhook_url", "");
  gateway.pulse(fine);
  await gateway.look();
  expect(await gateway.status()).toMatchObject({ webhook: false, waiting: 0, trouble: "" });
});

it.each([302, 307, 308])("does not follow a redirect (%i)", async (status) => {
  const elsewhere = await webhook();
  const hook = await webhook((res) => void res.writeHead(status, { location: elsewhere.url }).end());
  const gateway = await rig({ webhook_url: hook.url });
  expect(await gateway.call("sentinel.test")).toMatchObject({
    ok: false,
    reason: `${hook.origin} answered ${status}; a redirect is not followed, set sentinel.webhook_url to where it leads`,
  });
  expect(elsewhere.seen).toEqual([]);
});

it("gives it eight seconds", async () => {
  const hook = await webhook(() => undefined);
  const gateway = await rig({ webhook_url: hook.url });
  const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => AbortSignal.abort(new Error("late")));
  expect(await gateway.call("sentinel.test")).toMatchObject({
    ok: false,
    reason: `${hook.origin} did not answer within 8 s`,
  });
  expect(timeout.mock.calls).toContainEqual([8_000]);
});

it("sends a user and a password of the address as basic auth, and shows nothing of the address", async () => {
  const hook = await webhook((res) => void res.writeHead(403).end());
  const address = `${hook.url.replace("//", "//ada:p%40ss-w0rd@")}#fragment`;
  const gateway = await rig({ webhook_url: address });
  gateway.pulse(ill("weak"));
  await gateway.look();
  await until(() => hook.seen.length === 1);
  await until(async () => (await gateway.status()).trouble !== "");
  const sent = String(hook.seen[0]?.headers.authorization).replace("Basic ", "");
  expect(Buffer.from(sent, "base64").toString()).toBe("ada:p@ss-w0rd");
  const tested = await gateway.call("sentinel.test");
  const shown = [gateway.host.logs(), await gateway.status(), tested, gateway.host.config.view(), gateway.alerts()];
  for (const secret of ["w0rd", "hunter2"]) expect(JSON.stringify(shown)).not.toContain(secret);
});

it.each(["http://[", "http://%zz", "http://a:%zz@b"])(
  "says that %s cannot be used, and not what it is",
  async (address) => {
    const gateway = await rig({ webhook_url: address });
    const reason = "sentinel.webhook_url is no address that can be used";
    expect(await gateway.call("sentinel.test")).toMatchObject({ ok: false, reason });
  },
);

it("holds up no stop with a message under way, and says nothing of it", async () => {
  const hook = await webhook(() => undefined);
  const gateway = await rig({ webhook_url: hook.url });
  gateway.pulse(ill("weak"));
  await gateway.look();
  await until(() => hook.seen.length === 1);
  const began = performance.now();
  await gateway.host.stop();
  expect(performance.now() - began).toBeLessThan(1_500);
  expect(gateway.warnings()).toEqual([expect.stringContaining("weak")]);
});

describe("what waits", () => {
  const notice = (what: string, message = what): Notice => ({ what, level: "warning", message, at: 0 });

  it("is at most a hundred, the newest of them", async () => {
    const sent: string[] = [];
    const post = async ({ what }: Notice) => {
      sent.push(what);
      return { status: 200, ms: 1 };
    };
    const outbox = new Outbox({ post, failed: () => undefined });
    for (let at = 0; at < 150; at += 1) outbox.put(notice(`check ${at}`));
    expect(outbox.facts().waiting).toBe(100);
    await Promise.all([outbox.flush(), outbox.flush()]);
    expect(sent).toEqual(Array.from({ length: 100 }, (_, at) => `check ${at + 50}`));
    expect(outbox.facts()).toMatchObject({ waiting: 0, trouble: "" });
  });

  it("is not held up for ever by one that is refused; what comes meanwhile is sent too", async () => {
    const sent: string[] = [];
    const post = async ({ what, message }: Notice) => {
      if (what === "poison") throw new Error("answered 400");
      sent.push(message);
      if (message === "one") outbox.put(notice("good", "two"));
      return { status: 200, ms: 1 };
    };
    const failures: string[] = [];
    const outbox = new Outbox({ post, failed: (reason) => failures.push(reason) });
    outbox.put(notice("poison"));
    outbox.put(notice("good", "one"));
    await outbox.flush();
    expect(sent).toEqual([]);
    await outbox.flush();
    expect(sent).toEqual(["one"]);
    await outbox.flush();
    expect(sent).toEqual(["one", "two"]);
    expect(outbox.facts()).toMatchObject({ waiting: 1, trouble: "answered 400" });
  });
});
