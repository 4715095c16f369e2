/** `plugins …` that look and switch. Installing and writing plugins is in plugins-change.ts. */
import { isAbsolute } from "node:path";
import type { ChangeResult, PluginRow } from "@chela/sdk";
import type { Cli, Handler } from "./cli.ts";
import { needGateway } from "./client.ts";
import { type Piece, styled } from "./output.ts";
import { type Finding, type InfoResult, pluginDoor } from "./plugin-door.ts";
import { paintState, told } from "./plugin-told.ts";
import { duration } from "./text.ts";

export const list: Handler = async (cli) => {
  const rows = await (await pluginDoor(cli)).list();
  await cli.out.show(rows, () => cli.out.table(["id", "version", "state", "reason"], rows.map(cells)));
};

export const info: Handler = async (cli, [id = ""]) => {
  const facts = await (await pluginDoor(cli)).info(id);
  await cli.out.show(facts, () => print(cli, facts));
};

export const enable: Handler = (cli, [id = ""]) => toggle(cli, id, true);
export const disable: Handler = (cli, [id = ""]) => toggle(cli, id, false);

export const reload: Handler = async (cli, [id = ""]) => await order(cli, "reload", id);
export const release: Handler = async (cli, [id = ""]) => await order(cli, "release", id);

export const doctor: Handler = async (cli) => {
  const findings = await (await pluginDoor(cli)).findings();
  const bad = findings.some(({ level }) => level === "error");
  await cli.out.show({ ok: !bad, findings }, async () => {
    if (findings.length === 0) cli.out.line(styled("green", "All plugins are well."));
    else await cli.out.table(["", "plugin", "what", "do"], findings.map(findingCells));
  });
  return bad ? 1 : 0;
};

function findingCells({ level, plugin, message, fix }: Finding): Piece[] {
  return [styled(({ error: "red", warning: "yellow", info: "dim" } as const)[level], level), plugin, message, fix];
}

async function toggle(cli: Cli, id: string, on: boolean): Promise<number> {
  const door = await pluginDoor(cli);
  const before = await door.info(id);
  const already = on ? ["running", "starting", "waiting"].includes(before.state) : before.state === "disabled";
  const result = already ? undefined : await door.toggle(id, on);
  const word = on ? "on" : "off";
  return await told(cli, door, id, { result, line: already ? `${id} is ${word} already` : `${id} is ${word}` });
}

async function order(cli: Cli, what: "reload" | "release", id: string): Promise<number> {
  const gateway = await needGateway(cli, `plugins ${what}`);
  const door = await pluginDoor(cli);
  const wasOut = what === "release" && (await door.info(id)).state === "quarantined";
  const result = (await gateway.call(`plugins.${what}`, { id }, { timeoutMs: 120_000 })) as ChangeResult;
  const line =
    what === "reload"
      ? `${id} is set up anew`
      : wasOut
        ? `${id} may run again`
        : `${id} was not in quarantine; its faults are forgotten`;
  const code = await told(cli, door, id, { result, line });
  if (what === "reload" && gateway.facts) await noteSource(cli, id);
  return code;
}

function cells(row: PluginRow): Piece[] {
  return [row.id, row.version, paintState(row.state), row.reason];
}

async function print(cli: Cli, facts: InfoResult): Promise<void> {
  const { contributions: made, startup } = facts;
  const needs = (facts.needs ?? []).map(
    (need) => `${need.service} ${need.range}${need.provider ? ` (${need.provider})` : ""}`,
  );
  const rows: Piece[][] = [
    ["Plugin", `${facts.id} ${facts.version}, ${facts.origin}${facts.critical ? ", critical" : ""}`],
    ["State", paintState(facts.state)],
    ["Reason", facts.reason],
    ["About", facts.about],
    ["Folder", facts.root ?? ""],
    ["Hosts", facts.host ?? ""],
    ["Section", facts.section ?? ""],
    ["Hot keys", (facts.hot ?? []).join(", ")],
    ["Needs", needs.join(", ")],
    ["Provides", (facts.provides ?? []).map(({ id, version }) => `${id} ${version}`).join(", ")],
    ["Start", startup ? duration(startup.ms) : ""],
    ["Faults", facts.faults ? styled("red", String(facts.faults)) : ""],
    ...(made?.routes ?? []).map((route) => ["Route", `${route.method} ${route.path} (${route.access})`]),
    ...(made?.streams ?? []).map((stream) => ["Stream", `${stream.path} (${stream.access})`]),
    ...(made?.methods ?? []).map((method) => ["Method", `${method.name} (${method.access})`]),
    ...(made?.tools ?? []).map((tool) => ["Tool", `${tool.name} (${tool.access}, ${tool.risk})`]),
    ...(made?.commands ?? []).map((command) => ["Command", `${command.name} (${command.access})`]),
    ...(made?.hooks.length ? [["Hooks", [...new Set(made.hooks)].join(", ")]] : []),
  ];
  await cli.out.table(
    [],
    rows.filter(([, value]) => value !== ""),
  );
}

/** A reload reads the installed copy; whoever edits the folder it came from would wait in vain. */
async function noteSource(cli: Cli, id: string): Promise<void> {
  const { pluginDirs, readLock } = await import("../plugins/lock.ts");
  const lock = await readLock(pluginDirs(cli.places.stateDir)).catch(() => null);
  const source = lock && Object.hasOwn(lock.plugins, id) ? lock.plugins[id]?.source : undefined;
  if (source && isAbsolute(source)) cli.out.note(`What was edited in ${source} comes with: chela plugins update ${id}`);
}
