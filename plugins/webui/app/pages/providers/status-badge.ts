/** How a provider does, in a word. */
import { html, type TemplateResult } from "lit";
import { t } from "../../i18n/locale.ts";
import { isLoggedOut, type Provider } from "./shapes.ts";

const tones = { healthy: "ok", degraded: "warn", critical: "bad" } as const;

export function statusBadge(provider: Provider): TemplateResult {
  const { status } = provider;
  if (isLoggedOut(provider)) return html`<span class="badge warn">${t("providers.loggedOut")}</span>`;
  return html`<span class="badge ${tones[status]}">${t(`providers.status.${status}`)}</span>`;
}
