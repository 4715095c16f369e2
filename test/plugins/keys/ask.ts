/** A route that asks whether its caller may ask a model now, as every caller of models does first. */
import type { Context } from "@chela/sdk";

export function registerAsk(ctx: Context): void {
  ctx.route({
    method: "POST",
    path: "/ask",
    access: "read",
    handler: async ({ identity }) => {
      const refusal = await ctx.call("model:before", { purpose: "test", identity }, "sim/echo");
      if (refusal) throw refusal;
      return { ok: true };
    },
  });
}
