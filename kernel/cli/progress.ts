/** A sign of life on a terminal while something takes its time; silent everywhere else. */
import type { Cli } from "./cli.ts";
import { plainLine } from "./text.ts";

const frames = ["|", "/", "-", "\\"];
const everyMs = 120;

export async function withProgress<T>(cli: Cli, text: string, work: () => Promise<T>): Promise<T> {
  const { stderr } = cli.io;
  if (!stderr.isTTY || cli.out.json) return await work();
  const shown = plainLine(text).slice(0, Math.max(10, (stderr.columns ?? 80) - 4));
  let at = 0;
  const draw = () => {
    at += 1;
    stderr.write(`\r${frames[at % frames.length]} ${shown}`);
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
