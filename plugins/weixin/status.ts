/** What the channel says of itself, in ClawGo's fields. What would give an account away is said by name only. */
import { redactedMark } from "@chela/sdk";
import type { Account } from "./accounts/accounts.ts";
import type { Login } from "./logins/login.ts";
import type { Settings } from "./settings.ts";

/** Of the settings alone. */
export interface Flags {
  readonly enabled: boolean;
  readonly config_enabled: boolean;
  readonly runtime_enabled: boolean;
  readonly draft_dirty: boolean;
  readonly base_url: string;
}

export function flagsOf(now: Settings, configEnabled: boolean, hasDraft: boolean): Flags {
  return {
    enabled: now.enabled,
    config_enabled: configEnabled,
    runtime_enabled: now.enabled,
    draft_dirty: hasDraft,
    base_url: now.baseUrl,
  };
}

export function accountRow(account: Account, defaultId: string) {
  const { botId, userId, contextToken, cursor, savedAt } = account;
  return {
    bot_id: botId,
    ...(userId === "" ? {} : { ilink_user_id: userId }),
    ...(contextToken === "" ? {} : { context_token: redactedMark }),
    ...(cursor === "" ? {} : { get_updates_buf: redactedMark }),
    connected: false,
    ...(savedAt === 0 ? {} : { updated_at: time(savedAt) }),
    default: botId === defaultId,
  };
}

/** `open`: for somebody who may log in. Whoever has the QR code can make the gateway's account their own. */
export function loginRow({ id, standing, qr }: Login, open: boolean) {
  const shown = (text: string) => (open || text === "" ? text : redactedMark);
  return {
    login_id: id,
    qr_code: shown(qr?.key ?? ""),
    qr_code_img_content: shown(qr?.content ?? ""),
    status: standing.status,
    last_error: standing.lastError,
    updated_at: time(standing.updatedAt),
    qr_available: qr !== undefined,
  };
}

export const noLogin: ReturnType<typeof loginRow> = {
  login_id: "",
  qr_code: "",
  qr_code_img_content: "",
  status: "",
  last_error: "",
  updated_at: "",
  qr_available: false,
};

/** RFC 3339, to the second. */
function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
