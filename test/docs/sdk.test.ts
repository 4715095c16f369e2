/** What a plugin author reads while typing: every export of the SDK says what it is. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const sdk = join(import.meta.dirname, "../../sdk");
const files = ["", "services"].flatMap((folder) =>
  readdirSync(join(sdk, folder))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name)),
);

test.each(files)("sdk/%s: each export has a docstring", (file) => {
  const lines = readFileSync(join(sdk, file), "utf8").split("\n");
  const declared = /^export (?:declare )?(?:abstract )?(?:interface|type|class|const|function) (\w+)\b/;
  const bare: string[] = [];
  let previous = "";
  for (const [index, line] of lines.entries()) {
    const name = declared.exec(line)?.[1];
    const overload = name !== undefined && name === previous;
    if (name && !overload && !lines[index - 1]?.trimEnd().endsWith("*/")) bare.push(name);
    if (name) previous = name;
  }
  expect(bare).toEqual([]);
});
