/** Files that should be accounts and are none: said once, in the log and among the changes of the providers they would belong to. */
import { basename } from "node:path";
import type { Logger } from "@chela/sdk";
import type { Standings } from "../credentials/standings.ts";
import type { FileProblem } from "./roster.ts";

export function tellProblems(
  problems: readonly FileProblem[],
  told: ReadonlySet<string>,
  { log, standings }: { readonly log: Pick<Logger, "warn">; readonly standings: Standings },
): Set<string> {
  const now = new Set<string>();
  for (const { file, reason, providers } of problems) {
    const sentence = `${file} ${reason}`;
    now.add(sentence);
    if (told.has(sentence)) continue;
    log.warn({ file, reason }, `the account file ${file} is not used: ${reason}`);
    const kind = /JSON|missing|names no|text|proxy/.test(reason)
      ? "credential_decode_failed"
      : "credential_read_failed";
    for (const provider of providers)
      standings.note(provider, { kind: "oauth", target: basename(file), reason: kind, detail: reason });
  }
  return now;
}
