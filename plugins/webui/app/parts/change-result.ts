/** What a change of the config or of plugins did, in words: nothing that waits or failed is passed over. */
import type { ChangeResult } from "@chela/sdk/panel";
import { languages, t } from "../i18n/locale.ts";
import { short } from "./plain.ts";
import { type ToastKind, toast } from "./toast.ts";

export type { ChangeResult } from "@chela/sdk/panel";

/** Shows it; `done` is said first when nothing failed. */
export async function tellChange(result: ChangeResult, done: string): Promise<void> {
  await languages.load("form");
  const { restarted, pending, failed } = result;
  const kind: ToastKind = failed.length > 0 ? "bad" : pending.length > 0 ? "warn" : "ok";
  const parts = [
    failed.length === 0 ? done : "",
    restarted.length > 0 ? t("form.change.restarted", { list: listed(restarted) }) : "",
    pending.length > 0 ? t("form.change.pending", { list: listed(pending) }) : "",
    failed.length > 0
      ? t("form.change.failed", { list: listed(failed.map(({ id, reason }) => `${id}: ${reason}`)) })
      : "",
  ];
  toast(parts.filter((part) => part !== "").join(" "), kind);
}

function listed(names: readonly string[]): string {
  const most = 8;
  const more = names.length > most ? ` … (${names.length})` : "";
  return (
    names
      .slice(0, most)
      .map((name) => short(name))
      .join(", ") + more
  );
}
