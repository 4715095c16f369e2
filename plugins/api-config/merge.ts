/**
 * Turns a config that a client sent into the edits that it means. What the body does not name stays as it is on disk; so
 * does what it names with the value that is in effect already: a client that sends back what it read changes nothing,
 * and neither defaults nor environment overrides end up in the file.
 */
import { isDeepStrictEqual } from "node:util";
import { type ConfigEdit, configPath, GatewayError, isObject } from "@chela/sdk";
import { member, type PlainObject } from "./plain.ts";

const maxEdits = 10_000;

/** `file` and `view` are as the config service shows them: redacted in the same way as what the client read. */
export function editsFor(body: PlainObject, file: PlainObject, view: PlainObject): ConfigEdit[] {
  const edits: ConfigEdit[] = [];
  collect({ value: body, file, view, path: [] }, edits);
  if (edits.length > maxEdits)
    throw new GatewayError("CONFIG_TOO_MANY", 400, `invalid config: more than ${maxEdits} changes at once`);
  return edits;
}

interface Place {
  readonly value: PlainObject;
  readonly file: unknown;
  readonly view: unknown;
  readonly path: readonly string[];
}

function collect({ value, file, view, path }: Place, edits: ConfigEdit[]): void {
  for (const [key, wanted] of Object.entries(value)) {
    const place = [...path, key];
    const onDisk = member(file, key);
    const inEffect = member(view, key);
    // Null is how a Go client says "nothing".
    if (wanted === null || isDeepStrictEqual(wanted, inEffect) || isDeepStrictEqual(wanted, onDisk)) continue;
    const mergeable =
      isObject(wanted) &&
      Object.keys(wanted).length > 0 &&
      [onDisk, inEffect].every((old) => old === undefined || isObject(old));
    if (mergeable) collect({ value: wanted, file: onDisk, view: inEffect, path: place }, edits);
    else if (!isEmptyOnto(wanted, onDisk ?? inEffect)) edits.push({ path: configPath(place), value: wanted });
  }
}

/** An empty object names no key: it takes none away. */
function isEmptyOnto(wanted: unknown, old: unknown): boolean {
  return isObject(wanted) && Object.keys(wanted).length === 0 && isObject(old);
}
