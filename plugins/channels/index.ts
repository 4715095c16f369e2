/**
 * channels: drafts of channel settings, which an operator tries before they are written into the config. It owns what of the
 * section `channels` no channel's plugin owns.
 */
import { channelDrafts, definePlugin, objectOf, Type } from "@chela/sdk";
import { DraftFile } from "./draft-file.ts";
import { Drafts } from "./drafts.ts";
import { needs } from "./needs.ts";
import { registerRoutes } from "./routes.ts";

export default definePlugin({
  id: "channels",
  version: "1.0.0",
  host: "^1.0.0",
  about: "Drafts of channel settings",
  section: "channels",
  config: Type.Object({}),
  hot: ["*"],
  needs,
  provides: [channelDrafts],
  setup(ctx) {
    const drafts = new Drafts({
      file: new DraftFile(ctx.dataDir, ctx.use.files),
      config: ctx.use.config,
      log: ctx.log,
      section: () => objectOf(ctx.config),
      changed: (channel) => ctx.emit("channel_draft_changed", { channel }),
      isOver: () => ctx.signal.aborted,
    });
    ctx.provide(channelDrafts, {
      get: (channel) => drafts.get(channel),
      merge: (channel, wanted) => drafts.merge(channel, wanted),
      clear: (channel) => drafts.clear(channel),
      edits: (named) => drafts.edits(named),
    });
    registerRoutes(ctx, drafts);
    ctx.start(() => drafts.load());
  },
});
