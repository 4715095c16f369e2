import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { binary } from "../../kit/binary.ts";
import { tempDir } from "../../kit/temp.ts";
import { until } from "../../kit/until.ts";

const token = "crash-test-token-0123456789";

interface Gateway {
  readonly child: ChildProcess;
  readonly url: string;
}

async function startGateway(stateDir: string): Promise<Gateway> {
  const child = spawn(process.execPath, [binary(), "gateway", "run", "--port", "0"], {
    env: {
      PATH: process.env.PATH,
      HOME: stateDir,
      CHELA_STATE_DIR: stateDir,
      CHELA_GATEWAY_TOKEN: token,
      CHELA_DISCOVERY: "off",
    },
    stdio: "ignore",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const url = await until(
    async () => {
      const { pid, url: base } = JSON.parse(readFileSync(join(stateDir, "gateway.json"), "utf8")) as {
        pid: number;
        url: string;
      };
      return pid === child.pid && (await fetch(`${base}/ready`)).ok ? base : undefined;
    },
    15_000,
    "the gateway to be ready",
  );
  return { child, url };
}

function ask(url: string, path: string, body?: unknown, key = ""): Promise<Response> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  return fetch(`${url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, ...(key && { "idempotency-key": key }) },
  });
}

it("kill -9 loses no turn that was answered", { timeout: 60_000 }, async () => {
  const stateDir = tempDir("crash");
  const answered = new Map<string, string[]>(["a", "b", "c", "d"].map((session) => [session, []]));
  for (let round = 0; round < 2; round++) {
    const { child, url } = await startGateway(stateDir);
    const gone = once(child, "exit");
    const client = async (session: string, said: string[]) => {
      for (;;) {
        const message = `/echo ${round}-${said.length}`;
        const { reply } = (await (await ask(url, "/api/chat", { session, message })).json()) as { reply: string };
        said.push(message, reply);
        if ([...answered.values()].flat().length >= 80 * (round + 1)) child.kill("SIGKILL");
      }
    };
    await Promise.allSettled([...answered].map(([session, said]) => client(session, said)));
    await gone;
  }
  const { url } = await startGateway(stateDir);
  for (const [session, said] of answered) {
    const history = (await (await ask(url, `/api/chat/history?session=${session}&limit=2000`)).json()) as {
      messages: { content: string; seq: number }[];
    };
    const kept = history.messages.map(({ content }) => content);
    expect(history.messages.map(({ seq }) => seq)).toEqual(kept.map((_, index) => index + 1));
    expect(said.length).toBeGreaterThan(0);
    expect(said.filter((content) => !kept.includes(content))).toEqual([]);
  }
});

it("kill -9 and clients that repeat what was not answered, with its key: everything is there exactly once", {
  timeout: 90_000,
}, async () => {
  const stateDir = tempDir("crash");
  const names = ["a", "b", "c", "d"];
  const perSession = 40;
  const killAfter = [30, 75, 120];
  let gateway = startGateway(stateDir);
  let answered = 0;
  const restart = async ({ child }: Gateway) => {
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    return startGateway(stateDir);
  };
  const repeatUntilAnswered = async (session: string, n: number) => {
    // Some take their time, so that they are killed at every step: waiting, stored, in the middle, almost done.
    const message = n % 4 === 0 ? `/slow 60 ${n}` : `/echo ${n}`;
    for (;;) {
      const { url } = await gateway;
      const reply = await ask(url, "/api/chat", { session, message }, `${session}-${n}`).catch(() => undefined);
      if (reply?.ok && ((await reply.json().catch(() => ({}))) as { stop?: string }).stop === "stop") return;
    }
  };
  const client = async (session: string) => {
    for (let n = 0; n < perSession; n++) {
      await repeatUntilAnswered(session, n);
      answered += 1;
      if (answered === killAfter[0]) {
        killAfter.shift();
        gateway = gateway.then(restart);
      }
    }
  };
  await Promise.all(names.map(client));
  expect(killAfter).toEqual([]);
  const { url } = await gateway;
  for (const session of names) {
    const history = await ask(url, `/api/chat/history?session=${session}&limit=2000`);
    const { messages } = (await history.json()) as { messages: { role: string; content: string; state: string }[] };
    const said = messages.filter(({ role }) => role === "user").map(({ content }) => Number(content.split(" ").at(-1)));
    expect(said).toEqual(Array.from({ length: perSession }, (_, n) => n));
    expect(messages.map(({ role, state }) => `${role} ${state}`)).toEqual(
      said.flatMap(() => ["user complete", "assistant complete"]),
    );
  }
});
