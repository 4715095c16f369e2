/**
 * What commands print. Text from outside is cleaned piece by piece, then coloured: colours are ours alone. With
 * `--json` only data leaves, on stdout, one document per command (or one line per item of a stream).
 */
import type Colors from "picocolors";
import type { Io } from "./io.ts";
import { plain, plainLine } from "./text.ts";

export type Style = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";
export type Piece = string | { readonly text: string; readonly style: Style };

export interface Output {
  readonly json: boolean;
  /** Colours on stdout. */
  readonly color: boolean;
  /** One line on stdout. */
  line(...pieces: readonly Piece[]): void;
  /** One line on stderr: progress, notes, warnings. Nothing with `--json`. */
  note(...pieces: readonly Piece[]): void;
  /** Text of several lines, or part of a line, as it is. */
  text(text: string): void;
  /** A document on stdout. */
  data(value: unknown): void;
  /** One line of a JSON stream on stdout. */
  item(value: unknown): void;
  /** With `--json` the data, else what `human` prints. */
  show(value: unknown, human: () => void | Promise<void>): Promise<void>;
  table(head: readonly string[], rows: readonly (readonly Piece[])[]): Promise<void>;
  /** One line on stderr, red. */
  error(message: string): void;
}

export function styled(style: Style, text: string): Piece {
  return { text, style };
}

type Palette = ReturnType<typeof Colors.createColors>;

export interface OutputOptions {
  readonly json: boolean;
  /** `--no-color` clears it. */
  readonly color: boolean;
  readonly createColors: (enabled: boolean) => Palette;
}

export function createOutput(io: Io, options: OutputOptions): Output {
  const out = options.createColors(wantsColor(io, options.color, io.stdout.isTTY));
  const err = options.createColors(wantsColor(io, options.color, io.stderr.isTTY));
  const data = (value: unknown) => void io.stdout.write(`${JSON.stringify(value ?? null, null, 2)}\n`);
  const output: Output = {
    json: options.json,
    color: out.isColorSupported,
    line: (...pieces) => void io.stdout.write(`${render(out, pieces)}\n`),
    note(...pieces) {
      if (!options.json) io.stderr.write(`${render(err, pieces)}\n`);
    },
    text: (text) => void io.stdout.write(plain(text)),
    data,
    item: (value) => void io.stdout.write(`${JSON.stringify(value ?? null)}\n`),
    async show(value, human) {
      if (options.json) data(value);
      else await human();
    },
    async table(head, rows) {
      const text = await drawTable(
        head.map((name) => paint(out, styled("bold", name))),
        rows.map((row) => row.map((cell) => paint(out, cell))),
      );
      io.stdout.write(text);
    },
    error: (message) => void io.stderr.write(`${err.red(plain(message))}\n`),
  };
  return output;
}

/** A terminal, unless `NO_COLOR` or `--no-color` says no. */
function wantsColor(io: Io, flag: boolean, isTTY: boolean | undefined): boolean {
  return flag && isTTY === true && !io.env.NO_COLOR && io.env.TERM !== "dumb";
}

function render(palette: Palette, pieces: readonly Piece[]): string {
  return pieces.map((piece) => paint(palette, piece)).join("");
}

function paint(palette: Palette, piece: Piece): string {
  return typeof piece === "string" ? plainLine(piece) : palette[piece.style](plainLine(piece.text));
}

const bare = { top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "" };
const bareToo = { "bottom-left": "", "bottom-right": "", left: "", "left-mid": "", mid: "", "mid-mid": "" };

/** Columns two spaces apart, without lines; wide characters count as two. */
async function drawTable(head: readonly string[], rows: readonly (readonly string[])[]): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const table = new Table({
    head: [...head],
    chars: { ...bare, ...bareToo, right: "", "right-mid": "", middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0, compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  const lines = table.toString().split("\n");
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}
