/** The lines that the page of logs holds: pages and the stream put together without a line twice or missing, in bounded memory. */
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { root } from "../../kit/sources.ts";

type Entry = Readonly<Record<string, unknown>>;

interface Store {
  readonly lines: readonly { readonly text: string; readonly afterGap: boolean }[];
  readonly start: number;
  readonly dropped: number;
  readonly isFull: boolean;
  reset(page: readonly Entry[]): void;
  join(page: readonly Entry[]): void;
  older(page: readonly Entry[]): void;
  add(entry: Entry): boolean;
  take(other: Store): void;
}

const { LogStore } = (await import(join(root, "plugins/webui/app/pages/logs/log-store.ts"))) as {
  LogStore: new () => Store;
};

const entries = (from: number, until: number): Entry[] =>
  Array.from({ length: until - from }, (_, index) => ({ time: "2026-11-22T00:00:00.000Z", msg: `${from + index}` }));

/** A line in each millisecond. */
const timed = (from: number, until: number): Entry[] =>
  Array.from({ length: until - from }, (_, index) => ({
    time: new Date(1_800_000_000_000 + from + index).toISOString(),
    msg: `${from + index}`,
  }));

function storeOf(page: readonly Entry[]): Store {
  const store = new LogStore();
  store.reset(page);
  return store;
}

afterEach(() => void vi.useRealTimers());

const texts = (store: Store) => store.lines.map(({ text }) => text);

describe("the lines of the page of logs", () => {
  it("takes no line twice that the page and the stream both tell, and equal lines later on", () => {
    const store = storeOf(entries(0, 3));
    expect(entries(1, 4).map((entry) => store.add(entry))).toEqual([false, false, true]);
    expect(store.add(entries(0, 1)[0] as Entry)).toBe(true);
    expect(texts(store)).toEqual(["0", "1", "2", "3", "0"]);
  });

  it("keeps the order where the stream began long before the page, whichever of them comes first", () => {
    const store = storeOf(timed(100, 300));
    for (const entry of timed(0, 310)) store.add(entry);
    expect(texts(store)).toEqual(timed(100, 310).map(({ msg }) => msg));
  });

  it("takes what a clock writes that was set back", () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const store = storeOf(timed(3_600_000, 3_600_010));
    vi.advanceTimersByTime(30_000);
    expect(store.add(timed(0, 1)[0] as Entry)).toBe(true);
  });

  it("goes on with what another one held back, and marks what that one left out", () => {
    const [store, held] = [storeOf(entries(0, 3)), storeOf([])];
    for (const entry of entries(3, 6_000)) held.add(entry);
    store.take(held);
    expect(texts(store).at(-1)).toBe("5999");
    expect(store.lines.length + store.dropped).toBe(6_000);
    const first = store.lines.findIndex(({ afterGap }) => afterGap);
    expect(Number(texts(store)[first])).toBe(held.dropped + 3);
  });

  it("keeps less where lines are long", () => {
    const store = storeOf([]);
    for (const entry of entries(0, 100)) store.add({ ...entry, more: "x".repeat(1_000_000) });
    expect(store.isFull).toBe(true);
    expect(store.lines.length + store.dropped).toBe(100);
    expect(store.lines.length).toBeLessThan(31);
    expect(store.start).toBe(store.dropped);
  });

  it("goes on after a break where it stopped, and marks what may be missing", () => {
    const store = storeOf(entries(0, 3));
    store.join(entries(1, 5));
    expect(texts(store)).toEqual(["0", "1", "2", "3", "4"]);
    expect(store.lines.some(({ afterGap }) => afterGap)).toBe(false);
    store.join(entries(8, 10));
    expect(texts(store).slice(-2)).toEqual(["8", "9"]);
    expect(store.lines.map(({ afterGap }) => afterGap).lastIndexOf(true)).toBe(5);
  });

  it("keeps 5,000 lines, counts what left, and says how far all moved", () => {
    const store = storeOf(entries(0, 10));
    store.older(entries(-5, 0));
    expect([store.start, texts(store)[0]]).toEqual([-5, "-5"]);
    for (const entry of entries(10, 20_000)) store.add(entry);
    expect(store.lines.length).toBeLessThanOrEqual(5_500);
    expect(store.dropped + store.lines.length).toBe(20_005);
    expect(store.start).toBe(store.dropped - 5);
    expect(texts(store).at(-1)).toBe("19999");
  });
});
