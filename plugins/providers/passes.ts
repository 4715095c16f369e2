/** Who takes which request of OpenAI's API as it is. */
import type { ProviderSpec } from "./settings.ts";
import { isBare, isStrict, quirksOf } from "./wire/quirks.ts";

/** Whether an upstream serves this path of OpenAI's API itself. */
export function passesStraight(spec: ProviderSpec, path: string): boolean {
  if (spec.transport === "relay") return false;
  if (spec.wire === "responses")
    return (path === "/responses" || path === "/embeddings") && !isBare(spec, quirksOf(spec));
  if (spec.wire !== "chat") return false;
  return path === "/chat/completions" || path === "/embeddings" || (path === "/responses" && servesResponses(spec));
}

/** At the vendor's own hosts; a proxy in front of them may know chat completions only. */
function servesResponses(spec: ProviderSpec): boolean {
  const quirks = quirksOf(spec);
  return quirks.responses === true && (quirks.strict === undefined || isStrict(spec, quirks));
}
