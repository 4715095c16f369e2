/** `chela sentinel …` against a running gateway. */
import { expect, it } from "vitest";
import { until } from "../../kit/until.ts";
import { ill, rig, webhook } from "./kit.ts";

it("tries the webhook", async () => {
  let status = 204;
  const hook = await webhook((res) => void res.writeHead(status).end());
  const { chela, set } = await rig();
  const unset = await chela(["sentinel", "test"]);
  expect(unset.code).toBe(1);
  expect(unset.stderr).toContain("chela config set sentinel.webhook_url");
  await set("sentinel.webhook_url", hook.url);
  const tested = await chela(["sentinel", "test"]);
  expect(tested).toMatchObject({ code: 0, stdout: expect.stringMatching(/^answered 204 in \d+ ms\n$/) });
  expect(hook.told()).toEqual([
    { source: "sentinel", level: "info", message: expect.stringContaining("test"), timestamp: expect.any(String) },
  ]);
  status = 404;
  expect(await chela(["sentinel", "test"])).toMatchObject({ code: 1, stdout: `${hook.origin} answered 404\n` });
  expect((await chela(["sentinel", "test", "--json"])).json()).toEqual({
    ok: false,
    status: null,
    ms: null,
    reason: `${hook.origin} answered 404`,
  });
});

it("says what fails, and how the webhook does", async () => {
  const hook = await webhook((res) => void res.writeHead(500).end());
  const gateway = await rig();
  const shown = async () => (await gateway.chela(["sentinel", "status"])).stdout;
  expect(await shown()).toMatch(/^Last look +not yet *\nWebhook +none; set one with: chela config set /);
  await gateway.set("sentinel.webhook_url", hook.url);
  expect(await shown()).toContain("chela sentinel test");
  gateway.pulse(ill("weak"));
  await gateway.look();
  await until(async () => (await gateway.status()).trouble !== "");
  expect(await shown()).toMatch(/^Webhook +http:\S+ answered 500 \(1 waiting\)/m);
  expect(await shown()).toMatch(/^check "pulse" of patient +fails: weak +since \d{4}-/m);
  await gateway.set("sentinel.enabled", false);
  const off = await gateway.chela(["sentinel", "status"]);
  expect(off).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining("switched off") });
});
