/** One gateway with one simulated upstream for all tests of a file, and what they ask of its OpenAI face. */
import { afterAll, beforeAll, expect } from "vitest";
import type { RunningGateway } from "../kit/gateway.ts";
import { startUpstream, type Upstream } from "../simulators/openai/upstream.ts";
import { type Ask, askAsOwner, gatewayForAll } from "./kit.ts";

export const messages = [{ role: "user", content: "hello" }];

export interface OpenAiFace {
  gateway(): RunningGateway;
  upstream(): Upstream;
  /** Asks the agent `chela`, unless the body names another model. */
  complete(body: object, headers?: Ask["headers"]): ReturnType<typeof askAsOwner>;
}

export function openAiForAll(): OpenAiFace {
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await startUpstream({ key: "sk-up" });
  });
  afterAll(() => upstream.close());
  const gateway = gatewayForAll(async () => ({
    config: {
      agents: { defaults: { model: { primary: "sim/echo" } }, entries: { writer: { about: "Writes" } } },
      models: {
        providers: {
          sim: { api_base: upstream.base, api_key: "sk-up", models: ["echo", "second", "bad", "vendor/model.v1"] },
        },
      },
    },
  }));
  return {
    gateway,
    upstream: () => upstream,
    complete: (body, headers = {}) =>
      askAsOwner(gateway(), "/v1/chat/completions", { headers, body: { model: "chela", messages, ...body } }),
  };
}

export function expectError(
  answer: { status: number; headers: object; json(): unknown },
  status: number,
  error: object,
): void {
  expect(answer.status).toBe(status);
  expect(answer.headers).toMatchObject({ "content-type": "application/json" });
  const body = answer.json() as { error: Record<string, unknown> };
  expect(Object.keys(body)).toEqual(["error"]);
  expect(Object.keys(body.error).sort()).toEqual(["code", "message", "param", "type"]);
  expect(body.error).toMatchObject(error);
}
