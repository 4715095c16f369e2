/** Copies text, and says whether it worked: browsers allow it on secure pages only, so there is an older way behind it. */
import { t } from "../i18n/locale.ts";
import { toast } from "./toast.ts";

/** True when it worked. */
export async function copy(text: string): Promise<boolean> {
  const isWritten = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  const isCopied = isWritten || copyByCommand(text);
  toast(t(isCopied ? "ui.copied" : "ui.copyFailed"), isCopied ? "ok" : "bad");
  return isCopied;
}

/** Needs no selection, which an open dialog would not allow outside of it. */
function copyByCommand(text: string): boolean {
  const allow = (event: Event) => event.preventDefault();
  const put = (event: ClipboardEvent) => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  };
  document.addEventListener("beforecopy", allow);
  document.addEventListener("copy", put);
  const isCopied = document.execCommand("copy");
  document.removeEventListener("beforecopy", allow);
  document.removeEventListener("copy", put);
  return isCopied;
}
