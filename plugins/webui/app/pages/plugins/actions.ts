/** What can be done with a plugin: asks where it matters, does it, and tells the truth about what came of it. */
import { call } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import { type ChangeResult, tellChange } from "../../parts/change-result.ts";
import { confirm } from "../../parts/confirm.ts";
import { toast, toastError } from "../../parts/toast.ts";
import type { PluginInfo } from "./shapes.ts";

export type PluginAction = "enable" | "disable" | "reload" | "release" | "update" | "uninstall";

export interface Installed {
  readonly id: string;
  readonly version: string;
  readonly previous: string | null;
  readonly changed: boolean;
  readonly result: ChangeResult;
}

/** Fetching from a registry, and waiting for work in flight, takes as long as it takes. */
const patient = { timeout: 0 };
/** Without these the page reaches nothing. */
const ofThisPage = ["api-config", "webui"];

/** False when the person thought better of it, or it failed; that is told here. */
export async function act(action: PluginAction, id: string): Promise<boolean> {
  try {
    if (action === "disable" && !(await mayDisable(id))) return false;
    if (action === "uninstall" && !(await mayUninstall(id))) return false;
    if (action === "update") {
      await tellInstalled(await call<Installed>("plugins.update", { id }, patient));
      return true;
    }
    const result = await call<ChangeResult>(`plugins.${action}`, { id }, patient);
    await tellChange(result, t(`plugins.done.${action}`, { id }));
    return result.failed.length === 0;
  } catch (error) {
    toastError(error);
    return false;
  }
}

export async function tellInstalled(installed: Installed): Promise<void> {
  const reason = reasonOfReturn(installed);
  if (reason === undefined) await tellChange(installed.result, installedText(installed));
  else toast(`${installedText(installed)} ${reason}`, "bad");
}

/** Why the version before is in place again. */
function reasonOfReturn({ id, changed, result }: Installed): string | undefined {
  return changed ? undefined : result.failed.find((failure) => failure.id === id)?.reason;
}

export function installedText(installed: Installed): string {
  const { id, version, previous, changed } = installed;
  if (reasonOfReturn(installed) !== undefined) return t("plugins.done.reverted", { id, version });
  if (!changed) return t("plugins.done.same", { id, version });
  return previous === null || previous === version
    ? t("plugins.done.install", { id, version })
    : t("plugins.done.upgrade", { id, version, previous });
}

async function mayDisable(id: string): Promise<boolean> {
  const info = await call<PluginInfo>("plugins.info", { id });
  const users = info.usedBy.filter(({ optional }) => !optional).map((user) => user.id);
  const warnings = [
    id === "webui" ? t("plugins.ask.webui") : "",
    ofThisPage.includes(id) && id !== "webui" ? t("plugins.ask.api", { id }) : "",
    info.critical ? t("plugins.ask.critical", { id }) : "",
    users.length > 0 ? t("plugins.ask.users", { list: [...new Set(users)].join(", ") }) : "",
  ].filter((warning) => warning !== "");
  if (warnings.length === 0) return true;
  return confirm({
    heading: t("plugins.ask.disable", { id }),
    text: warnings.join(" "),
    action: t("plugins.disable"),
    danger: true,
  });
}

function mayUninstall(id: string): Promise<boolean> {
  const heading = t("plugins.ask.uninstall", { id });
  return confirm({ heading, text: t("plugins.ask.uninstall.text"), action: t("plugins.uninstall"), danger: true });
}
