/** What api-config stands on: the host's own services, and nothing else. */
import { type Context, config, events, gateway, need, plugins } from "@chela/sdk";

export const needs = {
  config: need(config, "^1.0.0"),
  plugins: need(plugins, "^1.0.0"),
  gateway: need(gateway, "^1.0.0"),
  events: need(events, "^1.0.0"),
};

export type Ctx = Context<unknown, typeof needs>;
