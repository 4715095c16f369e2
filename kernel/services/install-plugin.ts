/** One install, from the files to what runs, told on the event bus step by step. */
import type { ChangeResult, Plugins } from "@chela/sdk";
import type { Host } from "../host/host.ts";
import type { Source } from "../plugins/source.ts";
import type { Installer } from "./plugins.ts";

interface Installing {
  readonly host: Host;
  readonly installer: Installer;
  /** Reads what is installed again and applies it, with another chance for one. */
  readonly refresh: (forgiven?: string) => Promise<ChangeResult>;
}

type Answer = Awaited<ReturnType<Plugins["install"]>>;

const longestSource = 200;

export async function installAndApply(installing: Installing, source: string | Source): Promise<Answer> {
  const { host } = installing;
  const shown = nameOf(source);
  const tell = (state: string, more: object = {}) =>
    host.events.publish("plugin_install", { source: shown, state, ...more });
  tell("started");
  try {
    const done = await applied(installing, source, tell);
    const failure = done.result.failed.find(({ id }) => id === done.id);
    const isBack = failure !== undefined && !done.changed;
    tell(isBack ? "failed" : "done", { id: done.id, ...(failure && { message: failure.reason }) });
    return done;
  } catch (error) {
    tell("failed", { message: host.options.log.reasonOf(error) });
    throw error;
  }
}

/** An upgrade that does not start leaves the version before serving; then its files come back too. */
async function applied(
  { host, installer, refresh }: Installing,
  source: string | Source,
  tell: (state: string) => void,
): Promise<Answer> {
  const installed = await installer.install(source, tell);
  const { id, previous, changed } = installed;
  const result = await refresh(id);
  const stays = host.current().instances.get(id)?.manifest.version === previous;
  const failed = result.failed.some((failure) => failure.id === id);
  if (!(failed && changed && previous !== null && stays && (await installer.revert(id))))
    return { ...installed, result };
  await refresh();
  return { ...installed, version: previous, changed: false, result };
}

function nameOf(source: string | Source): string {
  if (typeof source === "string") return source.slice(0, longestSource);
  return source.kind === "tarball" && source.uploaded !== undefined ? source.uploaded : "";
}
