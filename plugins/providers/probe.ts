/** `providers.test`: the smallest real call, for people who want to know whether a model answers. */
import { GatewayError, type Identity, type Providers } from "@chela/sdk";

export interface TestReport {
  readonly model: string;
  /** Milliseconds until the first sign of an answer. */
  readonly firstTokenMs: number;
  readonly totalMs: number;
  readonly text: string;
}

export interface TestAsk {
  readonly model: string;
  readonly identity?: Identity;
}

/** Some upstreams refuse to say less. */
const maxTokens = 16;

export async function testModel(
  providers: Pick<Providers, "stream">,
  { model, identity }: TestAsk,
  signal: AbortSignal,
): Promise<TestReport> {
  const began = performance.now();
  const since = (): number => Math.round((performance.now() - began) * 10) / 10;
  let firstTokenMs: number | undefined;
  let text = "";
  const request = { model, maxTokens, messages: [{ role: "user" as const, content: "Reply with: ok" }] };
  for await (const event of providers.stream(request, signal, { purpose: "test", identity, request })) {
    if (event.type === "start") continue;
    firstTokenMs ??= since();
    if (event.type === "text") text += event.text;
  }
  return { model, firstTokenMs: firstTokenMs ?? since(), totalMs: since(), text: text.slice(0, 200) };
}

/** An upstream that refuses our key does not refuse the one who asks us: to him what we depend on failed. */
export function asDependency(error: unknown): never {
  if (!GatewayError.is(error) || (error.status !== 401 && error.status !== 403)) throw error;
  throw new GatewayError(error.code, 424, error.message, error.details, { cause: error });
}
