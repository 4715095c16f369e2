/** The licence texts of every package whose code is inside the bundle, as their licences ask. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One text; packages in alphabetical order. */
export function thirdPartyNotices(root, inputs) {
  const folders = new Set();
  for (const input of inputs) {
    if (input.startsWith("cjs-names:")) continue;
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) folders.add(match[1]);
  }
  const notices = [...folders].sort().map((folder) => notice(join(root, folder)));
  return `Chela contains code of these packages.\n\n${notices.join("\n")}`;
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8").trim() : "";
  const kind = typeof license === "string" ? license : "see text";
  return `${"-".repeat(80)}\n${name} ${version} (${kind})\n\n${text.replaceAll("\r\n", "\n")}\n`;
}
