/** api-config: ClawGo's config, version and event faces, and the RPC methods of the host's own services. Holds no state. */
import { definePlugin, Type } from "@chela/sdk";
import { registerConfigMethods } from "./config-methods.ts";
import { registerConfigRoutes } from "./config-routes.ts";
import { registerEvents } from "./events-live.ts";
import { registerGatewayRoutes } from "./gateway-routes.ts";
import { registerMethods } from "./methods.ts";
import { needs } from "./needs.ts";

export default definePlugin({
  id: "api-config",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Config, status, events and plugins over HTTP and RPC",
  config: Type.Object({}),
  needs,
  setup(ctx) {
    registerConfigRoutes(ctx);
    registerGatewayRoutes(ctx);
    registerEvents(ctx);
    registerConfigMethods(ctx);
    registerMethods(ctx);
  },
});
