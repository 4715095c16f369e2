/** Reasons, rests and states in words. */
import { clock, dateTime } from "../../i18n/formats.ts";
import { type Key, languages, t } from "../../i18n/locale.ts";
import { short } from "../../parts/plain.ts";
import type { Account, Auth, Candidate, Provider, Rest } from "./shapes.ts";

const known = new Set(["rate_limit", "quota", "unauthorized", "forbidden", "unavailable", "no_token"]);
const strategies = new Set(["order", "round_robin", "least_used", "session"]);

/** Why somebody rests, or failed. */
export function because(reason: string): string {
  return known.has(reason) ? t(`providers.reason.${reason}` as Key) : short(reason, 100);
}

/** Who rests, why and until when. `at`: when that was told. */
export function restText({ model, credential, reason, seconds }: Rest, at: number): string {
  const who = [model ?? t("providers.rest.all"), credential]
    .filter((part) => part !== "")
    .map((part) => short(part, 80));
  const end = seconds === null ? t("providers.rest.open") : untilText(at + seconds * 1000);
  return [...who, because(reason), end].join(" · ");
}

export function untilText(at: number): string {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  const precise = new Intl.DateTimeFormat(languages.locale, { timeStyle: "medium" });
  const time = !isToday ? dateTime(at) : at - Date.now() < 120_000 ? precise.format(at) : clock(at);
  return t("providers.rest.until", { time });
}

export function strategyText(strategy: string): string {
  return strategies.has(strategy) ? t(`providers.strategy.${strategy}` as Key) : short(strategy, 40);
}

export function authText(auth: Auth): string {
  return t(`providers.auth.${auth === "bearer" ? "api_key" : auth}`);
}

/** A masked key, the name of an account, or that nothing is signed. */
export function candidateName({ target, kind }: Candidate): string {
  return target === undefined
    ? t(kind === "relay" ? "providers.candidate.relay" : "providers.candidate.none")
    : short(target, 80);
}

export function accountName({ email, account_label, account_id, credential_file }: Account): string {
  return short(email || account_label || account_id || credential_file, 120);
}

/** `2 keys · 1 account`. */
export function credentialsText({ candidates, auth, accounts }: Provider): string {
  const keys = (candidates ?? []).filter(({ kind, target }) => kind === "api_key" && target !== undefined).length;
  const parts = [
    ...(keys > 0 ? [t("providers.keys", { n: keys })] : []),
    ...(accounts && accounts.length > 0 ? [t("providers.accounts", { n: accounts.length })] : []),
  ];
  if (parts.length > 0) return parts.join(" · ");
  return auth === "oauth" || auth === "hybrid" ? t("providers.loggedOut") : t("providers.candidate.none");
}
