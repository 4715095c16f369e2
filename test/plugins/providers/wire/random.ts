/** Numbers and choices that look random and are the same in every run. */
export interface Dice {
  /** 0 … 1. */
  roll(): number;
  /** 0 … below. */
  below(count: number): number;
  pick<T>(list: readonly T[]): T;
  list<T>(most: number, make: () => T): T[];
}

export function dice(seed: number): Dice {
  let state = seed;
  const roll = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (count: number): number => Math.floor(roll() * count);
  return {
    roll,
    below,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    list: (most, make) => Array.from({ length: below(most + 1) }, make),
  };
}
