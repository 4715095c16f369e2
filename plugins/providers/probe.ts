/** `providers.test`: the smallest real call, for people who want to know whether a model answers. */
import type { Providers } from "@chela/sdk";

export interface TestReport {
  readonly model: string;
  /** Milliseconds until the first sign of an answer. */
  readonly firstTokenMs: number;
  readonly totalMs: number;
  readonly text: string;
}

export async function testModel(
  providers: Pick<Providers, "stream">,
  model: string,
  signal: AbortSignal,
): Promise<TestReport> {
  const began = performance.now();
  const since = (): number => Math.round((performance.now() - began) * 10) / 10;
  let firstTokenMs: number | undefined;
  let text = "";
  const events = providers.stream(
    { model, maxTokens: 1, messages: [{ role: "user", content: "Reply with: ok" }] },
    signal,
  );
  for await (const event of events) {
    if (event.type === "start") continue;
    firstTokenMs ??= since();
    if (event.type === "text") text += event.text;
  }
  return { model, firstTokenMs: firstTokenMs ?? since(), totalMs: since(), text: text.slice(0, 200) };
}
