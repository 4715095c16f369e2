/** A route that asks a model as every caller of models does: first whether its caller may, at last how it ended. */
import type { Context } from "@chela/sdk";

export function registerAsk(ctx: Context): void {
  ctx.route({
    method: "POST",
    path: "/ask",
    access: "read",
    handler: async ({ identity }) => {
      const caller = { purpose: "test", identity };
      const refusal = await ctx.call("model:before", caller, "sim/echo");
      if (refusal) throw refusal;
      const named = { asked: "sim/echo", model: "sim/echo", provider: "sim", credential: "" };
      const took = { at: Date.now(), ms: 1, firstTokenMs: null, failed: 0 };
      await ctx.call("model:done", { purpose: "test", identity, caller, ...named, ...took, usage: null });
      return { ok: true };
    },
  });
}
