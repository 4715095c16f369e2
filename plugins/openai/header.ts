/** Request headers as text. */
import { isUtf8 } from "node:buffer";

/** HTTP hands bytes over as latin1; clients that write other letters into a header mean UTF-8. Undefined when blank. */
export function header(value: string | string[] | undefined): string | undefined {
  const raw = (Array.isArray(value) ? value[0] : value) ?? "";
  const bytes = Buffer.from(raw, "latin1");
  const text = (isUtf8(bytes) && bytes.toString("latin1") === raw ? bytes.toString("utf8") : raw).trim();
  return text === "" ? undefined : text;
}
