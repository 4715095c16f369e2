/**
 * What can be changed while the gateway runs, in ClawGo's rows. Nothing in these sections needs a restart of the process, so
 * its clients find the patterns they know; the keys that do not even restart a plugin stand beside them.
 */
import { type Config, isObject } from "@chela/sdk";
import { member } from "./plain.ts";

/** In ClawGo's order. */
const known: readonly (readonly [path: string, name: string])[] = [
  ["logging.*", "Logging"],
  ["sentinel.*", "Sentinel"],
  ["agents.*", "Agent"],
  ["models.providers.*", "Providers"],
  ["tools.*", "Tools"],
  ["channels.*", "Channels"],
  ["cron.*", "Cron"],
  ["gateway.*", "Gateway"],
];

export function hotFields(config: Pick<Config, "hotFields" | "schema">) {
  const rows = config.hotFields();
  const live = member(config.schema(), "properties");
  const general = known
    .filter(([path]) => isObject(live) && Object.hasOwn(live, path.split(".", 1)[0] as string))
    .map(([path, name]) => ({ path, name, description: describe(rows, path) }));
  const details = [...general, ...rows.filter((row) => !general.some(({ path }) => path === row.path))];
  return { hot_reload_fields: details.map(({ path }) => path), hot_reload_field_details: details };
}

function describe(rows: ReturnType<Config["hotFields"]>, path: string): string {
  return rows.find((row) => row.path === path)?.description ?? "Applies without a restart of the gateway.";
}
