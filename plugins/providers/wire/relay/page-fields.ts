/** The fields of a request that name pages of the relay. They are ClawGo's, and no vendor's. */
type Fields = Readonly<Record<string, unknown>>;

export const onePage = [
  "aistudio_channel",
  "aistudio_provider",
  "relay_provider",
  "channel_id",
  "provider_id",
] as const;
export const manyPages = [
  "aistudio_channels",
  "aistudio_providers",
  "relay_providers",
  "channel_ids",
  "provider_ids",
] as const;

const all: ReadonlySet<string> = new Set([...onePage, ...manyPages]);

export function withoutPages(fields: Fields | undefined): Fields | undefined {
  return fields && Object.fromEntries(Object.entries(fields).filter(([name]) => !all.has(name)));
}
