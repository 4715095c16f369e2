/** What differs between texts, line by line: for a person who has to choose, and for joining the work of two. */

/** Lines `[from, to)` of the one stand where `[otherFrom, otherTo)` of the other do. */
interface Hunk {
  readonly from: number;
  readonly to: number;
  readonly otherFrom: number;
  readonly otherTo: number;
}

/** More changes than this are told as one. */
const mostEdits = 500;
const context = 3;

/** A unified diff; empty when the texts are the same. */
export function unifiedDiff(from: string, to: string): string {
  const [before, after] = [lines(from), lines(to)];
  return grouped(hunksOf(before, after))
    .map((group) => block(group, before, after))
    .join("");
}

export interface Merged {
  readonly text: string;
  /** Places that both changed: there both stand, between marks. */
  readonly conflicts: number;
}

export interface MergeMarks {
  readonly mine: string;
  readonly middle: string;
  readonly theirs: string;
}

/** Both works on `base` in one text. */
export function merge(base: string, mine: string, theirs: string, marks: MergeMarks): Merged {
  const [old, own, other] = [lines(base), lines(mine), lines(theirs)];
  const [left, right] = [hunksOf(old, own), hunksOf(old, other)];
  const out: string[] = [];
  let conflicts = 0;
  let at = 0;
  while (left.length > 0 || right.length > 0) {
    const { from, to, ours, others } = nextCluster(left, right);
    out.push(...old.slice(at, from));
    const mineHere = applied(ours, old, own, { from, to });
    const theirsHere = applied(others, old, other, { from, to });
    if (others.length === 0 || same(mineHere, theirsHere)) out.push(...mineHere);
    else if (ours.length === 0) out.push(...theirsHere);
    else {
      conflicts += 1;
      out.push(marks.mine, ...mineHere, marks.middle, ...theirsHere, marks.theirs);
    }
    at = to;
  }
  return { text: [...out, ...old.slice(at)].join("\n"), conflicts };
}

interface Cluster {
  readonly from: number;
  readonly to: number;
  readonly ours: readonly Hunk[];
  readonly others: readonly Hunk[];
}

/** Takes off both lists the first changes that touch one another. */
function nextCluster(left: Hunk[], right: Hunk[]): Cluster {
  const from = Math.min(left[0]?.from ?? Number.POSITIVE_INFINITY, right[0]?.from ?? Number.POSITIVE_INFINITY);
  const ours: Hunk[] = [];
  const others: Hunk[] = [];
  let to = from;
  const take = (list: Hunk[], into: Hunk[]): boolean => {
    const [first] = list;
    if (first === undefined || first.from > to) return false;
    to = Math.max(to, first.to);
    into.push(first);
    list.shift();
    return true;
  };
  while (take(left, ours) || take(right, others));
  return { from, to, ours, others };
}

/** Lines `[from, to)` of the old text as one side has them. */
function applied(
  hunks: readonly Hunk[],
  old: readonly string[],
  changed: readonly string[],
  { from, to }: Pick<Hunk, "from" | "to">,
): string[] {
  const out: string[] = [];
  let at = from;
  for (const hunk of hunks) {
    out.push(...old.slice(at, hunk.from), ...changed.slice(hunk.otherFrom, hunk.otherTo));
    at = hunk.to;
  }
  return [...out, ...old.slice(at, to)];
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}

function lines(text: string): string[] {
  return text.split("\n");
}

/** The shortest way from one to the other (Myers), without the lines at both ends that are the same. */
function hunksOf(a: readonly string[], b: readonly string[]): Hunk[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  const most = Math.min(a.length, b.length) - start;
  while (end < most && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (left.length === 0 && right.length === 0) return [];
  return steps(left, right).map(({ from, to, otherFrom, otherTo }) => ({
    from: from + start,
    to: to + start,
    otherFrom: otherFrom + start,
    otherTo: otherTo + start,
  }));
}

function steps(a: readonly string[], b: readonly string[]): Hunk[] {
  const whole = { from: 0, to: a.length, otherFrom: 0, otherTo: b.length };
  if (a.length === 0 || b.length === 0) return [whole];
  const trace = furthest(a, b);
  return trace === undefined ? [whole] : walkBack(trace, a.length, b.length);
}

/** Per number of edits, how far each diagonal got; undefined when there are too many. */
function furthest(a: readonly string[], b: readonly string[]): Map<number, number>[] | undefined {
  const trace: Map<number, number>[] = [];
  let reach = new Map([[1, 0]]);
  for (let edits = 0; edits <= mostEdits; edits++) {
    trace.push(reach);
    const next = new Map(reach);
    for (let k = -edits; k <= edits; k += 2) {
      let x = isDown(reach, k, edits) ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return trace;
    }
    reach = next;
  }
  return undefined;
}

function isDown(reach: ReadonlyMap<number, number>, k: number, edits: number): boolean {
  return k === -edits || (k !== edits && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
}

function walkBack(trace: readonly Map<number, number>[], width: number, height: number): Hunk[] {
  const hunks: Hunk[] = [];
  let [x, y] = [width, height];
  for (let edits = trace.length - 1; edits > 0; edits--) {
    const reach = trace[edits] as Map<number, number>;
    const k = x - y;
    const before = isDown(reach, k, edits) ? k + 1 : k - 1;
    const fromX = reach.get(before) ?? 0;
    const fromY = fromX - before;
    const [toX, toY] = before > k ? [fromX, fromY + 1] : [fromX + 1, fromY];
    const [last] = hunks;
    if (last !== undefined && last.from === toX && last.otherFrom === toY)
      hunks[0] = { ...last, from: fromX, otherFrom: fromY };
    else hunks.unshift({ from: fromX, to: toX, otherFrom: fromY, otherTo: toY });
    [x, y] = [fromX, fromY];
  }
  return hunks;
}

function grouped(hunks: readonly Hunk[]): Hunk[][] {
  const groups: Hunk[][] = [];
  for (const hunk of hunks) {
    const last = groups.at(-1);
    if (last && hunk.from - (last.at(-1) as Hunk).to <= 2 * context) last.push(hunk);
    else groups.push([hunk]);
  }
  return groups;
}

function block(group: readonly Hunk[], before: readonly string[], after: readonly string[]): string {
  const [first, last] = [group[0] as Hunk, group.at(-1) as Hunk];
  const lead = Math.min(context, first.from);
  const tail = Math.min(context, before.length - last.to);
  const out: string[] = [];
  let at = first.from - lead;
  for (const hunk of group) {
    out.push(...before.slice(at, hunk.from).map((line) => ` ${line}`));
    out.push(...before.slice(hunk.from, hunk.to).map((line) => `-${line}`));
    out.push(...after.slice(hunk.otherFrom, hunk.otherTo).map((line) => `+${line}`));
    at = hunk.to;
  }
  out.push(...before.slice(at, at + tail).map((line) => ` ${line}`));
  const old = range(first.from - lead, last.to + tail);
  const now = range(first.otherFrom - lead, last.otherTo + tail);
  return `@@ -${old} +${now} @@\n${out.join("\n")}\n`;
}

function range(from: number, to: number): string {
  return `${from + 1},${to - from}`;
}
