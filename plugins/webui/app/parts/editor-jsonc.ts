/** JSON as our config is written: comments and trailing commas are part of it, so nothing here calls them wrong. */
import {
  foldService,
  indentUnit,
  LanguageSupport,
  matchBrackets,
  StreamLanguage,
  type StringStream,
} from "@codemirror/language";
import type { EditorState } from "@codemirror/state";

interface Place {
  depth: number;
  inComment: boolean;
}

const language = StreamLanguage.define<Place>({
  name: "jsonc",
  startState: () => ({ depth: 0, inComment: false }),
  copyState: (place) => ({ ...place }),
  token,
  indent: ({ depth }, textAfter, { unit }) => Math.max(0, depth - (/^\s*[}\]]/.test(textAfter) ? 1 : 0)) * unit,
  languageData: {
    commentTokens: { line: "//", block: { open: "/*", close: "*/" } },
    closeBrackets: { brackets: ["{", "[", '"'] },
    indentOnInput: /^\s*[}\]]$/,
  },
});

/** How far the other half of a bracket is looked for. */
const scan = 100_000;

export const jsonc = new LanguageSupport(language, [indentUnit.of("  "), foldService.of(foldable)]);

function token(stream: StringStream, place: Place): string | null {
  if (place.inComment) return insideComment(stream, place);
  if (stream.eatSpace()) return null;
  if (stream.match("//")) {
    stream.skipToEnd();
    return "comment";
  }
  if (stream.match("/*")) return insideComment(stream, place);
  if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return stream.match(/^\s*:/, false) ? "propertyName" : "string";
  if (stream.match(/^-?\d[\d.eE+-]*/)) return "number";
  if (stream.match(/^(?:true|false)\b/)) return "bool";
  if (stream.match(/^null\b/)) return "null";
  const sign = stream.next();
  if (sign === "{" || sign === "[") place.depth += 1;
  if (sign === "}" || sign === "]") place.depth = Math.max(0, place.depth - 1);
  return sign === "{" || sign === "}" ? "brace" : sign === "[" || sign === "]" ? "squareBracket" : "punctuation";
}

function insideComment(stream: StringStream, place: Place): string {
  place.inComment = stream.match(/^.*?\*\//) === null;
  if (place.inComment) stream.skipToEnd();
  return "comment";
}

/** From the last bracket that a line leaves open to its other half. */
function foldable(state: EditorState, from: number, to: number): { from: number; to: number } | null {
  const text = state.doc.sliceString(from, to);
  for (let at = text.length - 1; at >= 0; at--) {
    if (text[at] !== "{" && text[at] !== "[") continue;
    const match = matchBrackets(state, from + at, 1, { maxScanDistance: scan });
    if (match?.matched && match.end && match.end.from > to) return { from: from + at + 1, to: match.end.from };
  }
  return null;
}
