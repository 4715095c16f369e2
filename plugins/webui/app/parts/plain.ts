/** Text of others for people to read: nothing in it steers a terminal, hides, or turns the direction of what stands around it. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const ansi = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const bidi = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Without ANSI sequences and control characters; marks of direction are shown as `U+202E`. */
export function plain(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(ansi, "")
    .replace(controls, "")
    .replace(bidi, (mark) => `U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
}

/** The beginning of a long text. */
export function short(text: string, most = 300): string {
  const clean = plain(text.length > most * 4 ? text.slice(0, most * 4) : text);
  return clean.length > most ? `${clean.slice(0, most)}…` : clean;
}
