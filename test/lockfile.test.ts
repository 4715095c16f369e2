/** `npm ci` on any machine: the lock file names every package that any platform may want, and no address of a registry. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./kit/sources.ts";

interface LockedPackage {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
  packages: Readonly<Record<string, LockedPackage>>;
};

/** Where node would look for `name`, from the package at `from` upwards. */
function isLocked(name: string, from: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1))) {
    const place = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (lock.packages[place]) return true;
    if (folder === "") return false;
  }
}

it("locks every optional dependency of every platform", () => {
  const missing = Object.entries(lock.packages).flatMap(([from, { dependencies = {}, optionalDependencies = {} }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isLocked(name, from))
      .map((name) => `${from} → ${name}`),
  );
  expect(missing).toEqual([]);
});

it("names no registry", () => {
  const addresses = Object.values(lock.packages).filter(({ link, resolved }) => !link && resolved?.startsWith("http"));
  expect(addresses).toEqual([]);
});
