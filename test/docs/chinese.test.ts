/** The Chinese pages are set as Chinese is: full-width punctuation beside Chinese characters, none of it doubled by a space. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const pages = ["README.zh-CN.md", ...readdirSync(join(root, "docs/zh-CN")).map((name) => `docs/zh-CN/${name}`)];
const halfWidth = /[\u4e00-\u9fff][,:;?!]|[,;?!][\u4e00-\u9fff]|[\uff0c\uff1a\uff1b\u3002] +[\u4e00-\u9fff]/;

test.each(pages)("%s", (page) => {
  const prose = readFileSync(join(root, page), "utf8")
    .replace(/^```.*?^```/gms, "")
    .replace(/`[^`\n]*`/g, "`")
    .replace(/\]\([^)]*\)/g, "]");
  expect(prose.split("\n").filter((line) => halfWidth.test(line))).toEqual([]);
});
