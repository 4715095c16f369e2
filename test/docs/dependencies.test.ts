/** docs/dependencies.md has a row for every package that a package.json of the project names, at its version, and no other. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const kinds = ["dependencies", "optionalDependencies", "devDependencies", "peerDependencies"] as const;
type Manifest = Readonly<Partial<Record<(typeof kinds)[number], Readonly<Record<string, string>>>>>;

const folders = [".", "sdk", "kernel", ...readdirSync(join(root, "plugins")).map((name) => `plugins/${name}`)];
const named = new Map(
  folders
    .map((folder) => join(root, folder, "package.json"))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, "utf8")) as Manifest)
    .flatMap((manifest) => kinds.flatMap((kind) => Object.entries(manifest[kind] ?? {})))
    .filter(([name]) => !name.startsWith("@chela/")),
);

const rows = readFileSync(join(root, "docs/dependencies.md"), "utf8")
  .split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .filter(([, name = "", version = ""]) => /^`[^`]+`$/.test(name) && /^\d/.test(version))
  .map(([, name = "", version, place = "", why = "", size = ""]) => ({
    name: name.slice(1, -1),
    version,
    place,
    why,
    size,
  }));

describe("the list of dependencies", () => {
  it("has every package once, at the version that is pinned", () => {
    const listed = Object.fromEntries(rows.map(({ name, version }) => [name, version]));
    expect(listed).toEqual(Object.fromEntries(named));
    expect(rows).toHaveLength(named.size);
  });

  it("gives each a place, a reason and a size", () => {
    for (const { name, place, why, size } of rows) {
      expect(place, name).not.toBe("");
      expect(why.length, name).toBeGreaterThan(20);
      expect(size, name).toMatch(/^[\d,]+(?: \([\d,]+\))?$/);
    }
  });

  it("names the file that imports each package of the program", () => {
    const doors = rows.flatMap(({ name, place }) => {
      const door = /^`((?:sdk|kernel|plugins)\/[^`]+\.ts)`$/.exec(place)?.[1];
      return door ? [{ name, door }] : [];
    });
    expect(doors.length).toBeGreaterThan(15);
    for (const { name, door } of doors) {
      expect(readFileSync(join(root, door), "utf8"), `${door} imports ${name}`).toMatch(
        new RegExp(`(?:from |import\\(|require\\()"${name.replaceAll(".", "\\.")}(?:/[^"]*)?"`),
      );
    }
  });
});
