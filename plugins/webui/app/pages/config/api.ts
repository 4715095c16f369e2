/** What the gateway tells of its config: the answers of the methods `config.*`. */
import type { LocatedProblem } from "@chela/sdk/panel";
import { call } from "../../client/http.ts";
import type { TextVersion } from "../../parts/text-draft.ts";

export type { Backup, ChangeResult, ConfigDraft, LocatedProblem, PlannedChange } from "@chela/sdk/panel";

export interface Trouble {
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

export interface ConfigState extends TextVersion {
  readonly path: string;
  readonly problems: readonly LocatedProblem[];
  /** Why the file on disk is not what runs. */
  readonly trouble: Trouble | null;
  /** Keys that wait for a restart. */
  readonly pending: readonly string[];
  /** By path the variable of the environment that decides a key, whatever the text says. */
  readonly overrides: Readonly<Record<string, string>>;
  /** `gateway.reload.mode`: how much of a change applies before the next start. */
  readonly mode: string;
}

/** Events after which the config, or what is said of it, may be another. */
export const configEvents = ["config_changed", "config_error", "config_ok"] as const;

export async function readConfig(signal: AbortSignal): Promise<ConfigState> {
  const options = { signal };
  const [text, mode, status, overrides] = await Promise.all([
    call<Pick<ConfigState, "text" | "hash" | "path" | "problems">>("config.text", {}, options),
    call<{ value?: unknown }>("config.get", { path: "gateway.reload.mode", source: "merged" }, options),
    call<{ pending: readonly string[]; config: { trouble: Trouble | null } }>("gateway.status", {}, options),
    call<ConfigState["overrides"]>("config.overrides", {}, options),
  ]);
  return { ...text, overrides, trouble: status.config.trouble, pending: status.pending, mode: String(mode.value) };
}
