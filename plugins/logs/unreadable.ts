/** ClawGo's words for a log file that cannot be opened. */
import { GatewayError } from "@chela/sdk";

export function unreadable(path: string, error: unknown): GatewayError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "no such file or directory",
    ENOTDIR: "not a directory",
    EACCES: "permission denied",
    EISDIR: "is a directory",
  };
  const reason = (code === undefined ? undefined : reasons[code]) ?? message;
  return new GatewayError("LOG_UNREADABLE", 500, `open ${path}: ${reason}`, undefined, { cause: error });
}
