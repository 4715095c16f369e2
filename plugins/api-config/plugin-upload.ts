/** A plugin as a file from the browser: installed by the one way to install. Its temporary file goes with the request. */
import { GatewayError, type RouteRequest } from "@chela/sdk";
import type { Ctx } from "./needs.ts";

const longestName = 100;

export function installUpload(
  { use, log }: Pick<Ctx, "use" | "log">,
  { files, identity }: Pick<RouteRequest, "files" | "identity">,
): Promise<object> {
  const file = files.find(({ field }) => field === "file");
  if (!file) throw new GatewayError("INVALID", 400, "body: one file must be given, in the field `file`");
  const name = file.name.replace(/[^\w.@+-]+/g, "-").slice(-longestName) || "plugin.tgz";
  log.info({ file: name, bytes: file.size, by: identity.id }, "plugin upload");
  return use.plugins.installFile(file.path, name);
}
