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

function ask(url: string, path: string, body?: unknown): Promise<Response> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  return fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });
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
