/** Copies text, and says whether it worked: browsers allow it on secure pages only, so there is an older way behind it. */
import { t } from "../i18n/locale.ts";
import { toast } from "./toast.ts";

export async function copy(text: string): Promise<void> {
  const done = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  if (done || copyBySelection(text)) toast(t("ui.copied"), "ok");
  else toast(t("ui.copyFailed"), "bad");
}

function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
