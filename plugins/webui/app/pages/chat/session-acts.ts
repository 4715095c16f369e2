/** What is done with a whole session: a name, a transcript, an end. Failures are told; true where it was done. */
import { call, request } from "../../client/http.ts";
import { t } from "../../i18n/locale.ts";
import { confirm } from "../../parts/confirm.ts";
import { toastError } from "../../parts/toast.ts";

export async function retitle(key: string, title: string): Promise<boolean> {
  return attempt(call("sessions.title", { key, title }));
}

export async function remove(key: string, name: string): Promise<boolean> {
  const isSure = await confirm({ text: t("chat.delete.sure", { name }), action: t("ui.delete"), danger: true });
  return isSure && attempt(call("sessions.remove", { key }));
}

export async function download(key: string, format: "markdown" | "jsonl"): Promise<boolean> {
  return attempt(save(key, format));
}

async function save(key: string, format: "markdown" | "jsonl"): Promise<void> {
  const reply = await request(`/api/sessions/export?${new URLSearchParams({ key, format })}`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await reply.blob());
  const name = /filename="([^"]+)"/.exec(reply.headers.get("content-disposition") ?? "")?.[1];
  link.download = name ?? `session.${format === "jsonl" ? "jsonl" : "md"}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function attempt(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}
