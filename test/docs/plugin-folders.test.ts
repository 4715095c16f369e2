/** Every plugin folder has a README that is its map: it begins with the id, and what it names is there. What the references say it leaves to them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const plugins = join(import.meta.dirname, "../../plugins");
const ids = readdirSync(plugins).filter((id) => existsSync(join(plugins, id, "index.ts")));

describe.each(ids)("plugins/%s/README.md", (id) => {
  const folder = join(plugins, id);
  const text = readFileSync(join(folder, "README.md"), "utf8");
  const named = [...text.matchAll(/`(\w[\w./-]*(?:\.ts|\/))`/g)].map(([, name = ""]) => name);

  it("is the map of its folder", () => {
    expect(text.split("\n")[0]).toBe(`# ${id}`);
    expect(named.filter((name) => !existsSync(join(folder, name)))).toEqual([]);
    const rooms = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const missing = rooms.filter(({ name }) => name !== "node_modules" && !named.some((one) => one.startsWith(name)));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it("leads to its guide, and repeats no table of the references", () => {
    expect(text).toMatch(/\.\.\/\.\.\/docs\/[\w-]+\.md/);
    for (const [, page = ""] of text.matchAll(/\]\((\.\.\/[^)#]+)/g))
      expect(existsSync(join(folder, page)), page).toBe(true);
    expect(text).not.toMatch(/^\|/m);
  });
});
