import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import semver from "semver";
import { describe, expect, it } from "vitest";
import { compare, maxSatisfying, prepareRanges, satisfies, validRange, validVersion } from "../../kernel/versions.ts";
import { tempDir } from "../kit/temp.ts";

const versions = [
  "0.0.0",
  "0.0.3",
  "0.0.4",
  "0.1.2",
  "0.2.0",
  "1.0.0",
  "1.2.3",
  "1.2.4",
  "1.10.0",
  "2.0.0",
  "10.0.0",
  "1.0.0-rc.1",
  "1.2.3-beta.2",
  "1.2.3+build",
];
const ranges = [
  "^0.0.3",
  "^0.1.2",
  "^0.0.0",
  "^1.0.0",
  "^1.2.3",
  "^2.0.0",
  "1.2.3",
  "0.0.0",
  "*",
  "~1.2.0",
  ">=1 <3",
  "1.x || 10.x",
  "^1.2.3-beta.1",
  ">=0.0.0-0",
];

describe("the short way is semver's way", () => {
  it("for every pair of version and range", async () => {
    await prepareRanges(ranges);
    for (const version of versions) {
      for (const range of ranges)
        expect(satisfies(version, range), `${version} in ${range}`).toBe(semver.satisfies(version, range));
    }
  });

  it("for every pair of versions", () => {
    for (const a of versions) {
      for (const b of versions) expect(Math.sign(compare(a, b)), `${a} ${b}`).toBe(semver.compare(a, b));
    }
  });

  it("for what a range and a version are", async () => {
    for (const range of [...ranges, "", "newest", "^a.b.c", "1.2.3.4", ">>1", "x".repeat(300)]) {
      expect(await validRange(range), range).toBe(range !== "" && semver.validRange(range) !== null);
    }
    for (const version of [...versions, "1.2", "v1.2.3", "", "1.2.3.4", "a"]) {
      expect(validVersion(version), version).toBe(semver.valid(version) !== null && !version.startsWith("v"));
    }
    expect(await maxSatisfying(["1.0.0", "1.9.0", "2.0.0"], "^1.0.0")).toBe("1.9.0");
    expect(await maxSatisfying(["1.0.0"], "^3.0.0")).toBeNull();
  });
});

it("does not load semver for caret ranges, and says what to do when it is not there", async () => {
  const folder = tempDir("versions");
  await build({
    entryPoints: [new URL("../../kernel/versions.ts", import.meta.url).pathname],
    outfile: join(folder, "versions.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
    external: ["semver"],
  });
  const code = `import { satisfies, compare, validRange, prepareRanges } from "./versions.mjs";
    await prepareRanges(["^1.0.0", "1.2.3", "*"]);
    const answers = [satisfies("1.2.3", "^1.0.0"), satisfies("2.0.0", "^1.0.0"), satisfies("1.0.0", "*"), compare("1.2.0", "1.10.0") < 0, await validRange("^0.1.0")];
    let message = ""; try { satisfies("1.0.0", ">=1"); } catch (error) { message = error.message; }
    console.log(JSON.stringify({ answers, message }));`;
  // There is no semver in reach of that folder: loading it would throw.
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], { cwd: folder });
  expect(JSON.parse(stdout)).toEqual({
    answers: [true, false, true, true, true],
    message: expect.stringContaining("prepareRanges"),
  });
});
