/** What channels stands on. */
import { type Context, config, files, need, weixinRuntime } from "@chela/sdk";

export const needs = {
  config: need(config, "^1.0.0"),
  files: need(files, "^1.0.0"),
  weixin: need(weixinRuntime, "^1.0.0", { optional: true }),
};

export type Ctx = Context<unknown, typeof needs>;
