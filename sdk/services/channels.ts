/** Drafts of channel settings: what an operator tries before it is written into the config (provided by `channels`). */
import { defineService } from "../service.ts";
import type { ConfigEdit } from "./config.ts";

/** One draft per channel; each change of one emits the event `channel_draft_changed` `{channel}`. */
export interface ChannelDrafts {
  /**
   * The whole section `channels.<channel>` as the draft wants it, secrets in clear. Undefined: there is no draft, or none that
   * could be tried, because a secret that it keeps is gone from the config.
   */
  get(channel: string): Readonly<Record<string, unknown>> | undefined;
  /**
   * Deep-merges `config` onto the draft, or onto what is persisted where there is none. Throws `CHANNEL_UNKNOWN` (400,
   * `unsupported channel`) and `CHANNEL_CONFIG` (400, `invalid <channel> config: why`).
   */
  merge(channel: string, config: Readonly<Record<string, unknown>>): Promise<void>;
  /** One draft, or all. */
  clear(channel?: string): Promise<void>;
  /**
   * Edits, paths below `channels.`, that would write all drafts, for whoever saves the config. What `named`, a raw config
   * that a client sends, says itself wins over the draft.
   */
  edits(named?: Readonly<Record<string, unknown>>): readonly ConfigEdit[];
}

/** Name it in `needs`. */
export const channelDrafts = defineService<ChannelDrafts>("channel-drafts", "1.0.0");

/** What the Weixin plugin tells of itself. */
export interface ChannelRuntime {
  enabled(): boolean;
}

/** Name it in `needs`, optional. */
export const weixinRuntime = defineService<ChannelRuntime>("weixin-runtime", "1.0.0");
