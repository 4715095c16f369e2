/** One call of one provider, signed with whatever a test likes: what accounts do once somebody has logged in. */
import type { ModelEvent, ModelRequest } from "@chela/sdk";
import { onTestFinished } from "vitest";
import { callModel } from "../../../plugins/providers/call.ts";
import type { Signed } from "../../../plugins/providers/credentials/credential.ts";
import { Pools } from "../../../plugins/providers/http/pools.ts";
import { toSpec } from "../../../plugins/providers/settings.ts";

export interface Signing {
  events(request: ModelRequest): AsyncGenerator<ModelEvent>;
}

export function signingWith(api: string, base: string, signed: Signed, entry: Record<string, unknown> = {}): Signing {
  const spec = toSpec("sim", { api, api_base: base, ...entry }, "config");
  const pools = new Pools();
  onTestFinished(() => pools.close());
  const { signal } = new AbortController();
  return {
    async *events(request) {
      const model = request.model.slice("sim/".length);
      const upstream = { id: request.model, provider: "sim", model, secrets: spec.secrets, spec };
      const options = { pools, signed, signal, totalMs: 30_000, firstByteMs: 30_000 };
      for await (const events of await callModel(upstream, request, options)) yield* events;
    },
  };
}
