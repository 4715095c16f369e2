/** A host whose approvals a test looks after: probes of each risk, the live stream, who attends. */
import { definePlugin, type Plugin, Type } from "@chela/sdk";
import type { TestSocket } from "@chela/sdk/testing";
import { onTestFinished } from "vitest";
import { until } from "../../kit/until.ts";
import { type Bench, type BenchOptions, bench } from "./kit.ts";

export interface Request {
  readonly type: string;
  readonly id: string;
  readonly tool: string;
  readonly input: string;
  readonly hash: string;
  readonly session: string;
  readonly decision: string;
}

/** A tool of each risk that counts its runs. */
export const runs: Record<string, unknown[]> = {};
function probes(): Plugin {
  return definePlugin({
    id: "probes",
    version: "1.0.0",
    host: "^1.0.0",
    setup(ctx) {
      for (const risk of ["read", "write", "exec"] as const) {
        runs[risk] = [];
        ctx.tool({
          name: `probe_${risk}`,
          about: "counts",
          input: Type.Object({ text: Type.Optional(Type.String()) }, { additionalProperties: true }),
          risk,
          access: "read",
          run: (input) => {
            runs[risk]?.push(input);
            return "ran";
          },
        });
      }
    },
  });
}

export async function start(options: BenchOptions = {}): Promise<Bench> {
  const one = await bench({ tools: {}, ...options, plugins: [probes(), ...(options.plugins ?? [])] });
  onTestFinished(() => one[Symbol.asyncDispose]());
  return one;
}

/** With one who attends and is asked. */
export async function attended(
  options: BenchOptions = {},
): Promise<{ readonly one: Bench; readonly socket: TestSocket }> {
  const one = await start(options);
  const socket = await live(one);
  await attending(one, 1);
  return { one, socket };
}

export const live = (one: Bench, query = "") => one.host.connect(`/api/approvals/live${query}`);
export const next = async (socket: TestSocket) => (await socket.next(20_000)) as Request;
export const attending = (one: Bench, count: number) =>
  until(
    async () => ((await one.host.request("/api/approvals")).json() as { attending: number }).attending === count,
    20_000,
  );
