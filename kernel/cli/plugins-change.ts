/** `plugins install|uninstall|update|new`: what changes files. */
import { resolve } from "node:path";
import { GatewayError, type Installed } from "@chela/sdk";
import { didYouMean } from "../nearest.ts";
import { pluginDirs, readLock } from "../plugins/lock.ts";
import type { Cli, Handler } from "./cli.ts";
import { failureOf } from "./failure.ts";
import { styled } from "./output.ts";
import { type PluginDoor, pluginDoor } from "./plugin-door.ts";
import { told } from "./plugin-told.ts";
import { withProgress } from "./progress.ts";
import { textOption } from "./values.ts";

export const install: Handler = async (cli, [source = ""]) => {
  const door = await pluginDoor(cli);
  const { result, ...done } = await withProgress(cli, `Installing ${source}`, () => door.install(source));
  const failure = result?.failed.find(({ id }) => id === done.id);
  const line = installLine(done, failure?.reason);
  return await told(cli, door, done.id, { result, line, facts: done });
};

function installLine({ id, version, previous, changed }: Installed, failure: string | undefined): string {
  if (failure !== undefined && !changed)
    return `The new version of ${id} does not start (${failure}). ${id} stays at ${version}`;
  if (failure !== undefined) return `Installed ${id} ${version}, which does not start`;
  if (!changed) return `${id} ${version} is installed already`;
  if (previous === version) return `Updated the files of ${id} ${version}`;
  return previous ? `Upgraded ${id} from ${previous} to ${version}` : `Installed ${id} ${version}`;
}

export const uninstall: Handler = async (cli, [id = ""]) => {
  const door = await pluginDoor(cli);
  const { changed, result } = await door.uninstall(id);
  await cli.out.show({ ok: true, id, changed, ...result }, () => {
    cli.out.line(changed ? `Uninstalled ${id}. Its settings and data stay.` : `${id} is uninstalled already.`);
  });
};

export const update: Handler = async (cli, [id]) => {
  const { plugins } = await readLock(pluginDirs(cli.places.stateDir));
  const ids = id === undefined ? Object.keys(plugins).sort() : [id];
  const door = await pluginDoor(cli);
  if (id !== undefined && !Object.hasOwn(plugins, id)) throw await notInstalled(door, id, Object.keys(plugins));
  const rows: UpdateRow[] = [];
  for (const one of ids) rows.push(await updateOne(cli, door, one, plugins[one]?.source ?? ""));
  await cli.out.show(rows, () => {
    if (rows.length === 0) cli.out.line("No plugin is installed.");
    for (const row of rows) cli.out.line(row.ok ? "" : styled("red", "failed: "), row.about);
  });
  return rows.every((row) => row.ok) ? 0 : 1;
};

interface UpdateRow {
  readonly ok: boolean;
  readonly id: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
  readonly previous: string | null;
  readonly changed: boolean;
  readonly about: string;
}

async function updateOne(cli: Cli, door: PluginDoor, id: string, source: string): Promise<UpdateRow> {
  try {
    const done = await withProgress(cli, `Updating ${id} from ${source}`, () => door.install(source));
    const row = (await door.list()).find((candidate) => candidate.id === id);
    const { version, previous, changed } = done;
    const failure = done.result?.failed.find((failed) => failed.id === id);
    if (failure) throw new GatewayError("PLUGIN_FAILED", 500, `the new version does not start: ${failure.reason}`);
    const news = previous === version ? `${version}, with changed files` : `${previous} to ${version}`;
    const about = `${id}: ${changed ? news : `${version} is the newest`}`;
    return { ok: true, id, version, state: row?.state ?? "", reason: row?.reason ?? "", previous, changed, about };
  } catch (error) {
    const { message } = failureOf(error);
    const about = `${id}: ${message}`;
    return { ok: false, id, version: "", state: "failed", reason: message, previous: null, changed: false, about };
  }
}

async function notInstalled(door: PluginDoor, id: string, installed: readonly string[]): Promise<GatewayError> {
  const builtin = (await door.list()).some((row) => row.id === id && row.origin === "builtin");
  if (builtin) return new GatewayError("PLUGIN_BUILTIN", 409, `"${id}" is part of Chela and is updated with it.`);
  return new GatewayError(
    "PLUGIN_UNKNOWN",
    404,
    `"${id}" is not installed.${didYouMean(id, installed)} See: chela plugins list`,
  );
}

export const create: Handler = async (cli, [name = ""], options) => {
  const { scaffoldPlugin } = await import("../plugins/scaffold.ts");
  const { openLocal } = await import("./local.ts");
  const { dist } = await openLocal(cli);
  const dir = resolve(cli.io.cwd, textOption(options.dir) ?? name.replace(/^@[^/]+\//, ""));
  const made = await scaffoldPlugin(name, { dir, sdkDir: dist.sdkDir, builtins: dist.builtins });
  await cli.out.show({ ok: true, ...made }, () => {
    cli.out.line(`Wrote the plugin ${made.id} to ${made.dir}: ${made.files.join(", ")}.`);
    cli.out.line(`Test it there with npm test; run it with: chela plugins install ${made.dir}`);
  });
};
