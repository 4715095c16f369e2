/** relay: clients on `/v1/ws` that carry out HTTP requests for us. Whoever connects answers in a provider's name, so it takes an admin. */
import { type Context, definePlugin, relay, Type } from "@chela/sdk";
import { absent } from "./failures.ts";
import { errorFrame, UpFrame } from "./frames.ts";
import type { Hub } from "./hub.ts";
import { RelaySection, type RelaySettings } from "./settings.ts";

const DownFrame = Type.Object({
  id: Type.String(),
  type: Type.Union([Type.Literal("http_request"), Type.Literal("cancel"), Type.Literal("pong"), Type.Literal("error")]),
  payload: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});

export default definePlugin({
  id: "relay",
  version: "1.0.0",
  host: "^1.0.0",
  about: "The relay on /v1/ws: clients that carry out HTTP requests for the gateway",
  section: "relay",
  config: RelaySection,
  hot: ["*"],
  provides: [relay],
  setup(ctx) {
    let hub: Hub | undefined;
    let loading: Promise<Hub> | undefined;
    const load = async () => {
      const { Hub } = await import("./hub.ts");
      hub = new Hub({
        settings: () => ctx.config,
        emit: (type, payload) => emitted(ctx, type, payload),
        work: (running) => void ctx.work(running),
      });
      return hub;
    };
    const open = () => {
      loading ??= load();
      return loading;
    };
    ctx.provide(relay, {
      channels: () => hub?.channels() ?? [],
      request: async (channel, request) => {
        // A client that is just connecting counts.
        if (!loading) throw absent(channel);
        return (await loading).request(channel, request);
      },
    });
    ctx.stream({
      path: "/v1/ws",
      access: "admin",
      about: "Carries out HTTP requests for the gateway; ?provider= names the channel, default aistudio",
      up: UpFrame,
      down: DownFrame,
      get maxFrameBytes() {
        return ctx.config.max_frame_bytes;
      },
      refuse: ({ message }) => errorFrame("", message),
      open: async (socket) => (await open()).adopt(socket as never),
    });
    ctx.method({
      name: "relay.channels",
      access: "read",
      about: "Clients that are connected to the relay",
      handler: () => ({ channels: hub?.channels() ?? [] }),
    });
    ctx.health("channels", () => ({ ok: true, connected: hub?.channels().map(({ id }) => id) ?? [] }));
  },
});

/** When this plugin is stopped, nobody is left to tell. */
function emitted(ctx: Context<RelaySettings>, type: string, payload: Record<string, unknown>): void {
  if (!ctx.signal.aborted) ctx.emit(type, payload);
}
