/**
 * The only door to semver. Plain versions against `^1.2.3`, `1.2.3` or `*` are answered without loading it, so a start
 * with built-in plugins never pays for it; any other range must have been through `validRange` or `prepareRanges` once.
 */
import type semverPackage from "semver";

type Semver = typeof semverPackage;

/** A memo of the import, the same for every host of the process. */
const loaded: { semver?: Semver } = {};

const plainVersion = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;
const trivialRange = /^\^?(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/;
const fullVersion = /^\d{1,15}\.\d{1,15}\.\d{1,15}(?:-[\dA-Za-z.-]{1,100})?(?:\+[\dA-Za-z.-]{1,100})?$/;

type Triple = readonly [number, number, number];

/** True when `version` is inside `range`. A prerelease is inside only where the range names one, as in semver. */
export function satisfies(version: string, range: string): boolean {
  const quick = satisfiesPlain(version, range);
  return quick ?? semver(range).satisfies(version, range);
}

/** Negative, zero or positive, as a sort wants it. Both must be versions. */
export function compare(a: string, b: string): number {
  const [left, right] = [triple(plainVersion, a), triple(plainVersion, b)];
  return left && right ? compareTriples(left, right) : semver(`${a} and ${b}`).compare(a, b);
}

/** True for `1.2.3`, `1.2.3-beta.1`, `1.2.3+build`. */
export function validVersion(version: string): boolean {
  return version.length <= 256 && fullVersion.test(version);
}

/** True when semver understands the range. Loads semver when the range is not a trivial one. */
export async function validRange(range: string): Promise<boolean> {
  if (isTrivial(range)) return true;
  if (range === "" || range.length > 256) return false;
  await prepareRanges([range]);
  return semver(range).validRange(range) !== null;
}

/** The highest of `versions` inside `range`, or null. */
export async function maxSatisfying(versions: readonly string[], range: string): Promise<string | null> {
  await loadSemver();
  return semver(range).maxSatisfying([...versions], range);
}

/** Loads what `satisfies` and `compare` need for these ranges or versions: nothing when all of them are plain. */
export async function prepareRanges(ranges: Iterable<string>): Promise<void> {
  for (const range of ranges) {
    if (!isTrivial(range)) return loadSemver();
  }
}

async function loadSemver(): Promise<void> {
  loaded.semver ??= (await import("semver")).default;
}

function semver(subject: string): Semver {
  if (loaded.semver) return loaded.semver;
  throw new Error(`versions: "${subject}" is not a plain version or caret range; await prepareRanges([…]) before`);
}

function isTrivial(range: string): boolean {
  return range === "*" || trivialRange.test(range);
}

/** Undefined when semver has to be asked. */
function satisfiesPlain(version: string, range: string): boolean | undefined {
  const have = triple(plainVersion, version);
  if (!have) return undefined;
  if (range === "*") return true;
  const want = triple(trivialRange, range);
  if (!want) return undefined;
  const order = compareTriples(have, want);
  if (!range.startsWith("^")) return order === 0;
  const fixed = want[0] > 0 ? 1 : want[1] > 0 ? 2 : 3;
  return order >= 0 && want.slice(0, fixed).every((part, index) => part === have[index]);
}

function triple(shape: RegExp, text: string): Triple | undefined {
  const match = shape.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

function compareTriples(a: Triple, b: Triple): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
