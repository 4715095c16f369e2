/** What the plugin registers, and what of its settings is in force. Everything behind its routes is loaded when one is used. */
import {
  type Context,
  channelDrafts,
  definePlugin,
  events,
  files,
  GatewayError,
  need,
  type Plugin,
  type Static,
  weixinRuntime,
} from "@chela/sdk";
import type { Office } from "./office.ts";
import { type Desk, registerRoutes } from "./routes.ts";
import { settingsOf, WeixinSection } from "./settings.ts";
import { flagsOf } from "./status.ts";
import { type Timing, usualTiming } from "./timing.ts";

const channel = "weixin";
const needs = {
  drafts: need(channelDrafts, "^1.0.0", { optional: true }),
  events: need(events, "^1.0.0"),
  files: need(files, "^1.0.0"),
};

type Ctx = Context<Static<typeof WeixinSection>, typeof needs>;

/** Tests pass shorter waits. */
export function weixinPlugin(timing: Timing = usualTiming): Plugin {
  return definePlugin({
    id: "weixin",
    version: "1.0.0",
    host: "^1.0.0",
    about: "WeChat over Tencent's iLink bots: logins by QR code and their accounts",
    section: "channels.weixin",
    config: WeixinSection,
    hot: ["*"],
    needs,
    provides: [weixinRuntime],
    setup(ctx) {
      const settings = () => settingsOf(draftOf(ctx) ?? ctx.config);
      const office = officeOf(ctx, timing, settings);
      const changed = async () => {
        if (!settings().enabled) await office.made()?.rest();
      };
      ctx.provide(weixinRuntime, { enabled: () => settings().enabled });
      registerRoutes(ctx, {
        flags: () => flagsOf(settings(), ctx.config.enabled, draftOf(ctx) !== undefined),
        office: office.open,
        enable: async () => {
          if (!settings().enabled) await enableAsDraft(ctx);
        },
      });
      ctx.health("accounts", () => office.made()?.health() ?? { ok: true });
      ctx.onConfig(changed);
      ctx.use.events.subscribe(({ type, payload }) => {
        if (type === "channel_draft_changed" && payload.channel === channel) void changed();
      });
    },
  });
}

function draftOf(ctx: Ctx): Readonly<Record<string, unknown>> | undefined {
  return ctx.use.drafts?.get(channel);
}

async function enableAsDraft({ use }: Ctx): Promise<void> {
  if (!use.drafts) throw new GatewayError("WEIXIN_UNAVAILABLE", 503, "weixin channel unavailable");
  await use.drafts.merge(channel, { enabled: true });
}

/** The office, made once when it is first asked for; its logins end as soon as the plugin is to stop. */
function officeOf(ctx: Ctx, timing: Timing, settings: () => ReturnType<typeof settingsOf>) {
  let made: Office | undefined;
  let opening: ReturnType<Desk["office"]> | undefined;
  const make = async () => {
    const { Office } = await import("./office.ts");
    const office = new Office({ ctx, files: ctx.use.files, settings, timing, now: Date.now });
    await office.open();
    made = office;
    return office;
  };
  ctx.own("weixin logins", async () => (await opening)?.close());
  ctx.stopping.addEventListener("abort", () => void made?.close());
  return {
    made: () => made,
    open: () => {
      opening ??= make();
      return opening;
    },
  };
}
