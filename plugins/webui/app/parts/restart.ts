/** Restarts the gateway, wherever a page offers it. */
import { ApiError, call } from "../client/http.ts";
import { t } from "../i18n/locale.ts";
import { confirm } from "./confirm.ts";
import { toast, toastError } from "./toast.ts";

/** Asks first; while everything is anew, the reply itself may be cut off. */
export async function restartGateway(): Promise<void> {
  const action = t("ui.restart");
  if (!(await confirm({ heading: action, text: t("ui.restart.ask"), action, danger: true }))) return;
  try {
    await call("gateway.restart", { full: true }, { timeout: 120_000 });
    toast(t("ui.restart.done"), "ok");
  } catch (error) {
    if (error instanceof ApiError && error.status === 0) toast(t("ui.restart.cut"));
    else toastError(error);
  }
}
