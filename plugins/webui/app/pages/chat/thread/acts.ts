/** What people do with a message; the conversation hears of it as the event `act`. */
import type { ReplyEntry, UserEntry } from "../model/entries.ts";

export type Act =
  | { readonly type: "edit"; readonly entry: UserEntry }
  /** Sends what failed again. */
  | { readonly type: "resend" | "takeBack" | "discard"; readonly key: string }
  | { readonly type: "regenerate" }
  | { readonly type: "branch"; readonly entry: ReplyEntry };

export function act(from: EventTarget, detail: Act): void {
  from.dispatchEvent(new CustomEvent<Act>("act", { detail, bubbles: true, composed: true }));
}
