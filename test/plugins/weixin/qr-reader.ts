/** Reads a QR code out of an SVG of rectangles, as a phone would from the screen. */
import { decodeQR } from "qr/decode.js";

const pxPerModule = 4;

export function readQr(svg: string): string {
  const total = Number(/viewBox="0 0 (\d+) \d+"/.exec(svg)?.[1]);
  const scale = pxPerModule / 8;
  const side = total * scale;
  const data = new Uint8Array(side * side * 3).fill(255);
  for (const [, ...numbers] of svg.matchAll(/<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"\/>/g)) {
    const [x = 0, y = 0, width = 0, height = 0] = numbers.map((number) => Number(number) * scale);
    for (let row = y; row < y + height; row += 1) data.fill(17, (row * side + x) * 3, (row * side + x + width) * 3);
  }
  return decodeQR({ width: side, height: side, data }, { timeLimit: 10_000 });
}
