/** A request for others than the relay does not name its pages. */
import { relayFields } from "@chela/sdk";

type Fields = Readonly<Record<string, unknown>>;

const all: ReadonlySet<string> = new Set([...relayFields.one, ...relayFields.many]);

export function withoutPages(fields: Fields | undefined): Fields | undefined {
  return fields && Object.fromEntries(Object.entries(fields).filter(([name]) => !all.has(name)));
}
