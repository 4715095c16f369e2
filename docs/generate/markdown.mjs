/** Markdown as the references write it. Text from the sources is escaped; what stands in backticks there stays code. */

/** A table; undefined cells are empty. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell ?? "").join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

/** Inline code for a table cell. */
export function code(text) {
  return `\`${oneLine(text).replaceAll("|", "\\|")}\``;
}

/** Prose for a table cell: one line, nothing in it is markup but its code spans. */
export function prose(text) {
  const pieces = oneLine(text ?? "").split("`");
  if (pieces.length % 2 === 0) return escaped(pieces.join("'"));
  return pieces.map((piece, index) => (index % 2 === 1 ? code(piece) : escaped(piece))).join("");
}

/** `## Title` and paragraphs, with one empty line between all of them. */
export function page(...blocks) {
  return `${blocks.flat(Number.POSITIVE_INFINITY).filter(Boolean).join("\n\n")}\n`;
}

export function sentence(text) {
  const trimmed = (text ?? "").trim();
  if (trimmed === "") return "";
  const full = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(full) ? full : `${full}.`;
}

function oneLine(text) {
  return String(text).replace(/\s+/g, " ").trim();
}

function escaped(text) {
  return text
    .replaceAll("|", "\\|")
    .replaceAll("<", "\\<")
    .replaceAll("*", "\\*")
    .replace(/(?<!\w)_|_(?!\w)/g, "\\_");
}
