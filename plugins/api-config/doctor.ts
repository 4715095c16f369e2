/** What is wrong with plugins and what to do about it, worst first. Reads; changes nothing. */
import { type Config, isObject, type PluginInfo, type PluginRow, type Plugins } from "@chela/sdk";
import { at } from "./plain.ts";

export interface Finding {
  readonly level: "error" | "warning" | "info";
  readonly plugin: string;
  readonly message: string;
  /** What to do. */
  readonly fix: string;
}

const slowStartMs = 1000;
const order = { error: 0, warning: 1, info: 2 } as const;

export function findings(plugins: Plugins, config: Config): Finding[] {
  const rows = plugins.list();
  const all = [
    ...rows.flatMap((row) => aboutState(row)),
    ...rows.flatMap((row) => aboutWork(plugins.info(row.id))),
    ...aboutEntries(rows, config),
  ];
  return all.sort((a, b) => order[a.level] - order[b.level]);
}

function aboutState({ id, state, reason, critical }: PluginRow): Finding[] {
  const level = critical ? "error" : "warning";
  switch (state) {
    case "failed":
    case "quarantined":
      return [
        {
          level: "error",
          plugin: id,
          message: `${state}: ${reason}`,
          fix: `fix the cause, then: chela plugins release ${id}`,
        },
      ];
    case "incompatible":
      return [
        {
          level: "error",
          plugin: id,
          message: reason,
          fix: `install a version that fits this host: chela plugins install ${id}`,
        },
      ];
    case "waiting":
      return [{ level, plugin: id, message: `waiting: ${reason}`, fix: "enable or install what it needs" }];
    case "disabled":
      return critical
        ? [{ level: "error", plugin: id, message: "critical, and switched off", fix: `chela plugins enable ${id}` }]
        : [];
    default:
      return [];
  }
}

function aboutWork({ id, faults, hooks, startup }: PluginInfo): Finding[] {
  const found: Finding[] = [];
  if (faults > 0)
    found.push({
      level: "warning",
      plugin: id,
      message: `${faults} fault(s) of late`,
      fix: "see its log lines: chela logs --level error",
    });
  for (const { hook, errors, calls } of hooks) {
    if (errors > 0)
      found.push({
        level: "warning",
        plugin: id,
        message: `${errors} of ${calls} calls of its tap on ${hook} failed`,
        fix: "see its log lines: chela logs --level error",
      });
  }
  if (startup && startup.ms > slowStartMs) {
    found.push({
      level: "info",
      plugin: id,
      message: `took ${Math.round(startup.ms)} ms to start`,
      fix: "move slow work from setup to ctx.start, or load it when it is first needed",
    });
  }
  return found;
}

function aboutEntries(rows: readonly PluginRow[], config: Config): Finding[] {
  const named = at(config.file(), "plugins", "entries");
  const known = new Set(rows.map(({ id }) => id));
  const strangers = isObject(named) ? Object.keys(named).filter((id) => !known.has(id)) : [];
  return strangers.map((id) => ({
    level: "warning" as const,
    plugin: id,
    message: "is named in plugins.entries and not installed",
    fix: `chela plugins install <source>, or: chela config unset plugins.entries.${id}`,
  }));
}
