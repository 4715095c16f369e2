/** The whole state of the gateway in one answer, without a secret: for `status`, here and in the CLI. */
import { Type } from "@chela/sdk";
import type { Ctx } from "./needs.ts";

export function statusOf({ config, gateway, plugins }: Ctx["use"]) {
  return {
    ...gateway.status(),
    pending: config.pending(),
    config: { path: config.path, hash: config.hash(), trouble: config.trouble(), problems: config.problems() },
    plugins: plugins.list(),
  };
}

export const Status = Type.Object({
  version: Type.String(),
  pid: Type.Integer(),
  port: Type.Integer(),
  ready: Type.Boolean(),
  pending: Type.Array(Type.String(), { description: "Keys whose new value waits for a restart." }),
  config: Type.Object({
    path: Type.String(),
    hash: Type.String(),
    trouble: Type.Union([Type.Null(), Type.Object({ message: Type.String(), at: Type.Number() })], {
      description: "Why the file on disk is not what runs.",
    }),
    problems: Type.Array(Type.Object({ path: Type.String(), message: Type.String(), level: Type.String() })),
  }),
  plugins: Type.Array(
    Type.Object({ id: Type.String(), version: Type.String(), state: Type.String(), reason: Type.String() }),
  ),
});
