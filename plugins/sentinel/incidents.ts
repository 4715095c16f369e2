/** Incidents: from the look that first finds something failing to the one that finds it well. One at a time of each thing. */
import { randomUUID } from "node:crypto";
import type { Findings } from "./look.ts";
import type { Notice } from "./watch.ts";

/** `recovered`; `unwatched`: it was switched off, or the sentinel; `interrupted`: the gateway ended before it did. */
export type Outcome = "recovered" | "unwatched" | "interrupted";

/** Times are milliseconds since 1970. */
export interface Incident {
  readonly id: string;
  /** Null: the plugin itself. */
  readonly check: string | null;
  readonly plugin: string;
  /** What it said first. */
  readonly message: string;
  readonly started: number;
  /** Null while it goes on. */
  readonly ended: number | null;
  readonly outcome: Outcome | null;
  /** How often it was told. */
  readonly alerts: number;
}

export class Incidents {
  readonly #open = new Map<string, Incident>();

  /** Those that are to be written: new, told again, or over. */
  judge(found: Findings, notices: readonly Notice[], at: number): readonly Incident[] {
    const changed: Incident[] = [];
    for (const [what, { ok, says, check, plugin }] of found) {
      const known = this.#open.get(what);
      if (ok && !known) continue;
      const begun = {
        id: randomUUID(),
        check,
        plugin,
        message: says,
        started: at,
        ended: null,
        outcome: null,
        alerts: 0,
      };
      const before: Incident = known ?? begun;
      const alerts = before.alerts + notices.filter((notice) => notice.what === what).length;
      const now = ok ? over(before, at, "recovered", alerts) : { ...before, alerts };
      if (!known || ok || alerts !== before.alerts) changed.push(now);
      if (ok) this.#open.delete(what);
      else this.#open.set(what, now);
    }
    const gone = [...this.#open.keys()].filter((what) => !found.has(what));
    return [...changed, ...gone.map((what) => this.#end(what, at))];
  }

  /** Nobody watches any more. */
  end(at: number): readonly Incident[] {
    return [...this.#open.keys()].map((what) => this.#end(what, at));
  }

  #end(what: string, at: number): Incident {
    const incident = this.#open.get(what) as Incident;
    this.#open.delete(what);
    return over(incident, at, "unwatched", incident.alerts);
  }
}

function over(incident: Incident, at: number, outcome: Outcome, alerts: number): Incident {
  return { ...incident, ended: Math.max(at, incident.started), outcome, alerts };
}
