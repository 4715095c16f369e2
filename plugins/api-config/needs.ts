/** What api-config stands on: the host's own services, and the drafts of channels that a saved config takes along. */
import { type Context, channelDrafts, config, events, gateway, need, plugins } from "@chela/sdk";

export const needs = {
  config: need(config, "^1.0.0"),
  plugins: need(plugins, "^1.0.0"),
  gateway: need(gateway, "^1.0.0"),
  events: need(events, "^1.0.0"),
  drafts: need(channelDrafts, "^1.0.0", { optional: true }),
};

export type Ctx = Context<unknown, typeof needs>;
