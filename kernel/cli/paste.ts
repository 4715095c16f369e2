/**
 * What is pasted at a prompt is one message, however many lines it has: the terminal is asked to mark where a paste begins
 * and ends (bracketed paste), and the lines in between wait for the one that the person ends himself.
 */
import type { Interface } from "node:readline";

export interface Pastes {
  /** For each line in the order of arrival: it was pasted, and more of the message follows. */
  next(): boolean;
  stop(): void;
}

interface Key {
  readonly name?: string;
}

export function watchPastes(lines: Interface, input: NodeJS.EventEmitter, output: NodeJS.WritableStream): Pastes {
  const marks: boolean[] = [];
  let pasting = false;
  const onKey = (_text: string | undefined, { name }: Key = {}): void => {
    if (name === "paste-start" || name === "paste-end") pasting = name === "paste-start";
  };
  // Before readline's own listener: a mark has to count for the lines behind it.
  input.prependListener("keypress", onKey);
  lines.on("line", () => marks.push(pasting));
  output.write("\u001b[?2004h");
  return {
    next: () => marks.shift() === true,
    stop() {
      input.removeListener("keypress", onKey);
      output.write("\u001b[?2004l");
    },
  };
}
