/** The refusal of whatever comes, or is not done, while this plugin stops. */
import { GatewayError } from "@chela/sdk";

export function stopping(): GatewayError {
  return new GatewayError("STOPPING", 503, "the chat plugin is stopping: try again in a moment");
}
