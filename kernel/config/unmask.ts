/** The way back of the marks that name a place: what stands there in the file on disk, letter by letter. */
import { redactedMark } from "@chela/sdk";
import { type ConfigDocument, tokensOf } from "./document.ts";
import { placesIn } from "./redact-text.ts";
import type { Snapshot } from "./snapshot.ts";

/** A mark that could not be taken back; `at` is its place in the body of the given text. */
export interface LostMark {
  readonly at: number;
  readonly message: string;
}

const nothingThere = "this mark covers nothing in the file as it is now; write what shall stand here";
const notJson = "what this mark covers is not JSON, such as a text without quotes; write it anew";
const written = new RegExp(`^(?:"|// |/\\* )${redactedMark}@(\\d{1,8})(?:"| \\*/)?$`);

/** The text with each such mark replaced. `base` is the text on disk in which the places count. */
export function unmask(
  given: ConfigDocument,
  base: string,
  known: Snapshot,
): { readonly text: string; readonly lost: readonly LostMark[] } {
  const { text, body } = given;
  if (!body.includes(`${redactedMark}@`)) return { text, lost: [] };
  const lost: LostMark[] = [];
  const from = base.replace(/^\uFEFF/, "");
  const places = placesIn(base, known);
  let whole = text.slice(0, text.length - body.length);
  let at = 0;
  for (const { kind, start, end } of tokensOf(body)) {
    const place = written.exec(body.slice(start, end))?.[1];
    if (place === undefined) continue;
    const covered = places.get(Number(place));
    if (covered?.kind !== kind) lost.push({ at: start, message: nothingThere });
    else if (covered.text === undefined) lost.push({ at: start, message: notJson });
    else {
      whole += body.slice(at, start) + from.slice(covered.start, covered.end);
      at = end;
    }
  }
  return { text: whole + body.slice(at), lost };
}
