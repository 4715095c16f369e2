/** Which vendors are known without a gateway to ask: the schema of a provider's `preset` names those that have an address. */
import { GatewayError, isObject } from "@chela/sdk";
import type { ConfigDoor } from "./config-door.ts";

/** What of an entry decides where a provider is reached. */
export interface Clues {
  readonly preset?: unknown;
  readonly api_base?: unknown;
  readonly baseUrl?: unknown;
  readonly oauth?: unknown;
}

/** Throws `CONFIG_INVALID` where no gateway would: an entry without an address, of a vendor that nobody knows. */
export async function assertReachable(door: ConfigDoor, name: string, entry: Clues): Promise<void> {
  // A running gateway judges what is written itself.
  if (door.applies === "now" || (await isReachable(door, name, entry))) return;
  const message = `models.providers.${name}.api_base must be set: no vendor called "${vendorOf(name, entry)}" is known that would have an address`;
  throw new GatewayError("CONFIG_INVALID", 400, message);
}

/** True where nothing is known of vendors, too. */
export async function isReachable(door: ConfigDoor, name: string, entry: Clues): Promise<boolean> {
  if (entry.api_base !== undefined || entry.baseUrl !== undefined) return true;
  const known = vendorsIn(await door.schema());
  return known.length === 0 || known.includes(vendorOf(name, entry));
}

function vendorOf(name: string, { preset, oauth }: Clues): string {
  const vendor = preset || (isObject(oauth) ? oauth.provider : undefined) || name;
  return String(vendor).trim().toLowerCase().replaceAll("_", "-");
}

function vendorsIn(schema: unknown): readonly unknown[] {
  const steps = [
    "properties",
    "models",
    "properties",
    "providers",
    "patternProperties",
    "^.*$",
    "properties",
    "preset",
  ];
  const preset = steps.reduce<unknown>((part, step) => (isObject(part) ? part[step] : undefined), schema);
  return isObject(preset) && Array.isArray(preset.examples) ? preset.examples : [];
}
