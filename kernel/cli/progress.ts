/** A sign of life on a terminal while something takes its time; silent everywhere else. */
import type { Cli } from "./cli.ts";
import { plainLine } from "./text.ts";

const frames = ["|", "/", "-", "\\"];
const everyMs = 120;

/** A text that changes is given as a function. */
export async function withProgress<T>(cli: Cli, text: string | (() => string), work: () => Promise<T>): Promise<T> {
  const { stderr } = cli.io;
  if (!stderr.isTTY || cli.out.json) return await work();
  const width = Math.max(10, (stderr.columns ?? 80) - 4);
  let at = 0;
  let shown = "";
  const draw = () => {
    at += 1;
    const now = plainLine(typeof text === "string" ? text : text()).slice(0, width);
    stderr.write(`\r${frames[at % frames.length]} ${now.padEnd(shown.length)}`);
    shown = now;
  };
  draw();
  const timer = setInterval(draw, everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    stderr.write(`\r${" ".repeat(shown.length + 2)}\r`);
  }
}
