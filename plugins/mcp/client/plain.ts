/** Text of a server, which may be anybody's: without escape sequences, control characters and what turns or hides text. */
import { cutText } from "@chela/sdk";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** They change the order of what stands around them. */
const turning = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;
/** Zero-width and invisible characters, tags: part of some scripts, never of a name. */
const hidden =
  /[\u00ad\u180e\u200b-\u200d\u2028\u2029\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** A text of many lines: those and tabs stay. */
export function plainText(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(escapes, "").replaceAll(controls, "").replaceAll(turning, "");
}

/** What is read by people or a model as a description: at most `max` characters. */
export function plainWords(text: unknown, max: number): string {
  if (typeof text !== "string") return "";
  const plain = plainText(text.slice(0, max * 4))
    .replaceAll(hidden, "")
    .trim();
  return plain.length <= max ? plain : cutText(plain, max - 1, "…");
}

/** The same on one line. */
export function plainLine(text: unknown, max: number): string {
  if (typeof text !== "string") return "";
  return plainWords(text.slice(0, max * 4).replaceAll(/\s+/g, " "), max);
}

/** True for a name that is what it looks like. */
export function isPlain(text: string): boolean {
  return plainText(text).replaceAll(hidden, "") === text && !/[\n\t]/.test(text);
}
