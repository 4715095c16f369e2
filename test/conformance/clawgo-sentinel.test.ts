/** ClawGo contract §2.1, §4 (sentinel): the address of the webhook, and what it is told. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../kit/cli.ts";
import type { RunningGateway } from "../kit/gateway.ts";
import { httpServer } from "../kit/http-server.ts";
import { tempDir } from "../kit/temp.ts";
import { until } from "../kit/until.ts";
import { askAsOwner, freshGateway, gatewayForAll } from "./kit.ts";

const at = (webhook_url: unknown) => ({ sentinel: { webhook_url } });
const usable = ["https://hooks.example.com/services/T0/B0", "http://127.0.0.1:9/x", "http://[::1]/", ""];
const unusable = ["ftp://example.com/hook", "hooks.example.com", "https://", " https://a", "javascript:alert(1)", 7];

describe("C3: sentinel.webhook_url", () => {
  const gateway = gatewayForAll();
  const save = (body: unknown) => askAsOwner(gateway(), "/api/config", { body });
  const check = async (stateDir: string) => await runCli(["config", "check"], { env: { CHELA_STATE_DIR: stateDir } });

  it.each(usable)("%j is saved", async (address) => {
    expect((await save(at(address))).json()).toMatchObject({ ok: true, failed: [] });
  });

  it.each(unusable)("%j is 400, and the error names the path", async (address) => {
    const answer = await save(at(address));
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("sentinel.webhook_url must ");
  });

  it.each([0, -1, 1.5, "often"])("an interval of %j is 400 likewise", async (interval_sec) => {
    const answer = await save({ sentinel: { interval_sec } });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("sentinel.interval_sec must ");
  });

  it("is judged by `chela config check` as well, with and without a gateway", async () => {
    for (const stateDir of [gateway().stateDir, tempDir("offline")]) {
      const file = join(stateDir, "config.json");
      writeFileSync(file, JSON.stringify(at("https://hooks.example.com/x")));
      expect(await check(stateDir)).toMatchObject({ code: 0 });
      writeFileSync(file, JSON.stringify(at("ftp://hooks.example.com/x")));
      const refused = await check(stateDir);
      expect(refused.code).toBe(1);
      expect(refused.stdout + refused.stderr).toContain("sentinel.webhook_url");
    }
  });
});

describe("C13: an alert of the sentinel", () => {
  /** A file of keys that cannot be read fails a check. Written again and again: the watcher may still be on its way up. */
  const damage = async ({ stateDir }: RunningGateway, isTold: () => boolean) => {
    const file = join(stateDir, "data/keys/keys.json");
    await until(() => {
      writeFileSync(file, "{");
      return isTold();
    }, 20_000);
    return file;
  };
  const timeout = 60_000;

  it("is posted as {source, level, message, timestamp}, and so is its end", { timeout }, async () => {
    const hook = await httpServer((_, res) => void res.writeHead(200).end("ok"));
    const sentinel = { interval_sec: 1, webhook_url: `${hook.origin}/hook` };
    rmSync(await damage(await freshGateway({ config: { sentinel } }), () => hook.seen.length === 1));
    await until(() => hook.seen.length === 2, 20_000);
    const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown;
    const message = (text: string) => expect.stringContaining(`sentinel: check "key file" of keys ${text}`) as unknown;
    expect(hook.seen.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { source: "sentinel", level: "warning", message: message("fails: "), timestamp },
      { source: "sentinel", level: "info", message: message("is well again"), timestamp },
    ]);
  });

  it("without a target is in the log, and nothing crashes", { timeout }, async () => {
    const gateway = await freshGateway({ config: { sentinel: { interval_sec: 1 } } });
    const line = 'sentinel: check \\"key file\\" of keys fails: ';
    await damage(gateway, () => gateway.output().stderr.includes(line));
    expect((await askAsOwner(gateway, "/ready")).status).toBe(200);
  });
});
