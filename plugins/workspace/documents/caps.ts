/** Documents within a number of characters. What is left out is marked, so that neither model nor reader takes the rest for the whole. */
import type { WorkspaceDocument } from "@chela/sdk";

export interface Caps {
  /** Of one document. */
  readonly each: number;
  readonly total: number;
}

/** `tail` keeps the end of a document: notes grow there. */
export interface Source extends WorkspaceDocument {
  readonly tail?: boolean;
}

export function capped(sources: readonly Source[], caps: Caps): readonly WorkspaceDocument[] {
  let left = caps.total;
  return sources.map(({ path, content, tail }) => {
    const most = Math.min(caps.each, left);
    const kept = shortened(content, most, tail === true);
    left -= Math.min(content.length, most);
    return {
      path,
      content: kept === content ? content : marked(kept, content.length - kept.length, path, tail === true),
    };
  });
}

function marked(kept: string, missing: number, path: string, tail: boolean): string {
  const mark = `[cut] ${missing} characters of ${path} are left out here; read the file for the rest.`;
  if (kept === "") return mark;
  return tail ? `${mark}\n\n${kept}` : `${kept}\n\n${mark}`;
}

/** Whole lines where they fit, never half a character. */
function shortened(text: string, most: number, tail: boolean): string {
  if (text.length <= most) return text;
  if (most <= 0) return "";
  if (tail) {
    const from = text.length - most;
    const line = text.indexOf("\n", from);
    return text.slice(line === -1 || line - from > most / 4 ? whole(text, from) : line + 1);
  }
  const line = text.lastIndexOf("\n", most);
  return text.slice(0, line < most * 0.75 ? whole(text, most) : line);
}

/** Moves past the second half of a surrogate pair. */
function whole(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at + 1 : at;
}
