/** Texts of strangers that end up in headers, files and on screens: one line, and not longer than a line may be. */

/** A token is longer than anything else, and no longer than this. */
export const longestToken = 65_536;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

export function isOneLine(text: string, most: number): boolean {
  return text.length <= most && text.search(control) === -1;
}

/** Without what does not belong into a line, cut. */
export function oneLine(value: unknown, most = 300): string {
  return typeof value === "string" ? value.replace(control, " ").trim().slice(0, most) : "";
}

/** An address that a browser may be sent to, or nothing. */
export function webAddress(value: unknown): string {
  const text = oneLine(value, 2048);
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : "";
}
