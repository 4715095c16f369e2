/** The one door to uqr: a text as a QR code in SVG, as ClawGo draws it. */
import { encode } from "uqr";

const modulePx = 8;
const quietModules = 24;

/** Error correction M. Neighbours in a row are one rectangle. */
export function qrSvg(text: string): string {
  const { data, size } = encode(text, { ecc: "M", border: 0 });
  const total = (size + 2 * quietModules) * modulePx;
  const dark = data.flatMap((row, y) => runsOf(row).map((run) => rect(run.from, y, run.length)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${total}" shape-rendering="crispEdges">`,
    `<rect width="${total}" height="${total}" fill="#ffffff"/>`,
    `<g fill="#111111">${dark.join("")}</g></svg>`,
  ].join("");
}

function rect(x: number, y: number, length: number): string {
  const at = (place: number) => (place + quietModules) * modulePx;
  return `<rect x="${at(x)}" y="${at(y)}" width="${length * modulePx}" height="${modulePx}"/>`;
}

function runsOf(row: readonly boolean[]): { readonly from: number; readonly length: number }[] {
  const runs: { from: number; length: number }[] = [];
  row.forEach((isDark, x) => {
    const last = runs.at(-1);
    if (isDark && last && last.from + last.length === x) last.length += 1;
    else if (isDark) runs.push({ from: x, length: 1 });
  });
  return runs;
}
