/**
 * The section `channels.weixin`, with ClawGo's keys, and what of it is in force: the draft of the channel where there is one,
 * else the config. Everything is read when it is needed, so that nothing here needs a restart.
 */
import { isObject, Type } from "@chela/sdk";

export const officialBase = "https://ilinkai.weixin.qq.com";

const text = (description: string, maxLength = 512) => Type.Optional(Type.String({ maxLength, description }));
const secret = (description: string) => Type.Optional(Type.String({ maxLength: 65_536, secret: true, description }));

const account = {
  bot_id: text("The account's bot, such as a1b2c3d4e5f6@im.bot."),
  bot_token: secret("What signs its requests."),
  ilink_user_id: text("Who scanned the code."),
  context_token: secret("The last context token; ClawGo keeps it here."),
  get_updates_buf: secret("Where ClawGo's polling stood."),
};

export const WeixinSection = Type.Object({
  enabled: Type.Boolean({ default: false, description: "Run the channel." }),
  base_url: Type.String({
    default: officialBase,
    maxLength: 2048,
    pattern: "^(https?://[^\\s@?#]+)?$",
    description:
      "Where the iLink API is; empty: Tencent's. One on a private network is reached because it stands here.",
  }),
  default_bot_id: text("The account that sends when none is named, until one is chosen over the API."),
  accounts: Type.Optional(
    Type.Array(Type.Object(account), {
      maxItems: 100,
      description: "Accounts as ClawGo keeps them. Those that log in here are kept in a file of the plugin's own.",
    }),
  ),
  allow_from: Type.Optional(
    Type.Array(Type.String({ maxLength: 512 }), {
      maxItems: 10_000,
      description: "User ids that may write to the gateway.",
    }),
  ),
  allow_hosts: Type.Optional(
    Type.Array(Type.String({ maxLength: 512 }), {
      maxItems: 100,
      description:
        "Hosts beside *.weixin.qq.com that a login may be sent on to: host, host:port or origin. For development, since tokens go there.",
    }),
  ),
  ...account,
});

/** An account that the config names. */
export interface NamedAccount {
  readonly botId: string;
  readonly token: string;
  readonly userId: string;
  readonly contextToken: string;
  readonly cursor: string;
}

export interface Settings {
  readonly enabled: boolean;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly defaultBotId: string;
  readonly accounts: readonly NamedAccount[];
  readonly allowHosts: readonly string[];
}

type Section = Readonly<Record<string, unknown>>;

/** Of a section or of a draft, which may lack what has a default. */
export function settingsOf(section: Section): Settings {
  return {
    enabled: section.enabled === true,
    baseUrl: (trimmed(section.base_url) || officialBase).replace(/\/+$/, ""),
    defaultBotId: trimmed(section.default_bot_id),
    accounts: accountsOf(section),
    allowHosts: listOf(section.allow_hosts)
      .map(trimmed)
      .filter((host) => host !== ""),
  };
}

/** The single account of older configs comes last; the first of a name counts. */
function accountsOf(section: Section): NamedAccount[] {
  const named = new Map<string, NamedAccount>();
  for (const entry of [...listOf(section.accounts), section]) {
    if (!isObject(entry)) continue;
    const one: NamedAccount = {
      botId: trimmed(entry.bot_id),
      token: trimmed(entry.bot_token),
      userId: trimmed(entry.ilink_user_id),
      contextToken: trimmed(entry.context_token),
      cursor: trimmed(entry.get_updates_buf),
    };
    if (one.botId !== "" && one.token !== "" && !named.has(one.botId)) named.set(one.botId, one);
  }
  return [...named.values()];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function trimmed(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
