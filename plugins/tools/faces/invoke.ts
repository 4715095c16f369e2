/** `tools.invoke`: somebody runs a tool himself, through the one way that tools are run. With admin, asking is approving. */
import { randomUUID } from "node:crypto";
import { GatewayError, isSessionKey, type Turn, Type } from "@chela/sdk";
import type { Ctx } from "../world.ts";

const Params = Type.Object({
  tool: Type.String({ minLength: 1, maxLength: 64, description: "Name of the tool" }),
  args: Type.Record(Type.String(), Type.Unknown(), { default: {}, description: "Its input" }),
  session: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "On whose behalf; default: none" })),
});

export function registerInvoke(ctx: Ctx): void {
  ctx.method({
    name: "tools.invoke",
    access: "read",
    about: "Runs one tool with the rights of the caller: {ok, output, code?}. The rules for approval hold.",
    params: Params,
    handler: async ({ tool, args, session = null }, { identity, id, signal }) => {
      if (!ctx.use.tools.list().some(({ name }) => name === tool))
        throw new GatewayError("TOOL_UNKNOWN", 404, `there is no tool "${tool}"; tools.list names them`);
      if (session !== null && !isSessionKey(session))
        throw new GatewayError("SESSION_KEY", 400, "session must have 1 to 200 characters and no control characters");
      const turn: Turn = { id: `direct_${id}`, session, agent: "main", identity, signal, origin: "direct" };
      const call = { id: `call_${randomUUID()}`, name: tool, arguments: JSON.stringify(args) };
      return ctx.use.tools.run(call, turn);
    },
  });
}
