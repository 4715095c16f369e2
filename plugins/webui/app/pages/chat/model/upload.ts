/** Sends a file to the gateway and tells how far it is: `fetch` cannot. */
import { address } from "../../../client/address.ts";
import { ApiError } from "../../../client/http.ts";
import { t } from "../../../i18n/locale.ts";
import type { Attachment } from "./attachment.ts";

export interface Upload {
  readonly done: Promise<Attachment>;
  stop(): void;
}

export function upload(file: File, progress: (fraction: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<Attachment>((resolve, reject) => {
    const fail = (message: string) => reject(new ApiError({ status: request.status, code: "UPLOAD", message }));
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onerror = () => fail(t("app.unreachable"));
    request.onabort = () => fail("");
    request.onload = () => {
      const told = read(request.responseText);
      if (request.status === 200 && told.path !== undefined) resolve(told as Attachment);
      else fail(told.error ?? `${request.status} ${request.responseText.slice(0, 200)}`.trim());
    };
  });
  request.open("POST", address("/api/upload"));
  request.setRequestHeader("accept", "application/json");
  const form = new FormData();
  form.append("file", file, file.name || "file");
  request.send(form);
  return { done, stop: () => request.abort() };
}

function read(text: string): Partial<Attachment> & { readonly error?: string } {
  try {
    return JSON.parse(text) as Partial<Attachment>;
  } catch {
    return {};
  }
}
