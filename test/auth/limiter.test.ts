/** One budget per address, reserved before the check (S-06, S-07, S-08, S-94). The clock is the test's. */
import { describe, expect, it } from "vitest";
import { AuthLimiter, type Refusal, type Reservation } from "../../kernel/auth/limiter.ts";

interface Bench {
  readonly limiter: AuthLimiter;
  now: number;
  max: number;
}

function bench(options: { max?: number; maxEntries?: number } = {}): Bench {
  const state = { now: 1_000_000, max: options.max ?? 20 };
  const limiter = new AuthLimiter({
    max: () => state.max,
    windowMs: 60_000,
    now: () => state.now,
    maxEntries: options.maxEntries,
  });
  return Object.assign(state, { limiter });
}

function entered(answer: ReturnType<AuthLimiter["enter"]>): Reservation {
  if (answer instanceof Promise || "retryAfter" in answer) throw new Error("not entered");
  return answer;
}

function failOnce(limiter: AuthLimiter, key: string): Refusal | undefined {
  const answer = limiter.enter(key);
  if (answer instanceof Promise) throw new Error("would wait");
  if ("retryAfter" in answer) return answer;
  answer.fail();
  return undefined;
}

describe("the budget", () => {
  it("ends after max failures and comes back when the window has passed", () => {
    const b = bench();
    for (let i = 0; i < 20; i++) expect(failOnce(b.limiter, "a")).toBeUndefined();
    const refusal = failOnce(b.limiter, "a");
    expect(refusal).toEqual({ retryAfter: expect.any(Number) });
    expect(Number.isInteger(refusal?.retryAfter)).toBe(true);
    expect(refusal?.retryAfter).toBeGreaterThan(56);
    expect(refusal?.retryAfter).toBeLessThanOrEqual(60);
    expect(b.limiter.peek("a")).toEqual(refusal);
    expect(b.limiter.peek("b")).toBe("free");
    b.now += (refusal?.retryAfter ?? 0) * 1000;
    expect(b.limiter.peek("a")).toBe("free");
    expect(failOnce(b.limiter, "a")).toBeUndefined();
  });

  it("slides: never more than max failures in nearly a window, wherever it begins", () => {
    const b = bench({ max: 5 });
    const failures: number[] = [];
    for (let step = 0; step < 2000; step++) {
      if (failOnce(b.limiter, "a") === undefined) failures.push(b.now);
      b.now += 137;
    }
    for (const from of failures) {
      expect(failures.filter((at) => at >= from && at < from + 58_000).length).toBeLessThanOrEqual(5);
    }
    expect(failures.length).toBeGreaterThan(20);
  });

  it("keeps its word on Retry-After, and is not longer than needed", () => {
    const b = bench({ max: 3 });
    for (const pause of [0, 7000, 11_000]) {
      b.now += pause;
      failOnce(b.limiter, "a");
    }
    const refusal = failOnce(b.limiter, "a") as Refusal;
    b.now += (refusal.retryAfter - 3) * 1000;
    expect(b.limiter.peek("a")).toHaveProperty("retryAfter");
    b.now += 3000;
    expect(b.limiter.peek("a")).toBe("free");
  });

  it("does not count what passes, and does not forgive by it", () => {
    const b = bench({ max: 3 });
    for (let i = 0; i < 100; i++) entered(b.limiter.enter("a")).pass();
    failOnce(b.limiter, "a");
    failOnce(b.limiter, "a");
    entered(b.limiter.enter("a")).pass();
    failOnce(b.limiter, "a");
    expect(failOnce(b.limiter, "a")).toHaveProperty("retryAfter");
  });

  it("settles once", () => {
    const b = bench({ max: 2 });
    const one = entered(b.limiter.enter("a"));
    one.fail();
    one.fail();
    one.pass();
    expect(b.limiter.peek("a")).toBe("free");
    expect(failOnce(b.limiter, "a")).toBeUndefined();
    expect(failOnce(b.limiter, "a")).toHaveProperty("retryAfter");
  });

  it("counts several candidates of one request as several", () => {
    const b = bench({ max: 20 });
    let requests = 0;
    for (; requests < 100; requests++) {
      const answer = b.limiter.enter("a", 8);
      if ("retryAfter" in answer) break;
      entered(answer).fail();
    }
    expect(requests).toBe(3);
  });

  it("reads the limit live", () => {
    const b = bench({ max: 2 });
    failOnce(b.limiter, "a");
    failOnce(b.limiter, "a");
    expect(failOnce(b.limiter, "a")).toBeDefined();
    b.max = 3;
    expect(failOnce(b.limiter, "a")).toBeUndefined();
  });

  it("survives a clock that is set back or far forward", () => {
    const b = bench({ max: 2 });
    failOnce(b.limiter, "a");
    failOnce(b.limiter, "a");
    b.now -= 3_600_000;
    expect(b.limiter.peek("a")).toBe("free");
    failOnce(b.limiter, "a");
    b.now += 1e12;
    expect(b.limiter.peek("a")).toBe("free");
  });
});

describe("in parallel", () => {
  it("gives 100 guesses at once no more than the budget", async () => {
    const b = bench({ max: 20 });
    let guessed = 0;
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const answer = await b.limiter.enter("a");
        if ("retryAfter" in answer) return 429;
        guessed += 1;
        await Promise.resolve();
        answer.fail();
        return 401;
      }),
    );
    expect(guessed).toBe(20);
    expect(answers.filter((status) => status === 429)).toHaveLength(80);
  });

  it("lets a right burst of any size through", async () => {
    const b = bench({ max: 20 });
    let most = 0;
    let inFlight = 0;
    const passed = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const answer = await b.limiter.enter("a");
        if ("retryAfter" in answer) return false;
        inFlight += 1;
        most = Math.max(most, inFlight);
        await Promise.resolve();
        inFlight -= 1;
        answer.pass();
        return true;
      }),
    );
    expect(passed.every(Boolean)).toBe(true);
    expect(most).toBeLessThanOrEqual(20);
  });

  it("says busy while all the budget is in flight, and bounds the queue", async () => {
    const b = bench({ max: 1 });
    const first = entered(b.limiter.enter("a"));
    expect(b.limiter.peek("a")).toBe("busy");
    expect(b.limiter.peek("b")).toBe("free");
    const waiting = Array.from({ length: 4096 }, () => b.limiter.enter("a"));
    expect(waiting.every((answer) => answer instanceof Promise)).toBe(true);
    expect(b.limiter.enter("a")).toEqual({ retryAfter: 1 });
    first.fail();
    for (const answer of await Promise.all(waiting)) expect(answer).toHaveProperty("retryAfter");
  });
});

describe("memory", () => {
  it("stays within its bound and remembers who is blocked", () => {
    const b = bench({ max: 3, maxEntries: 100 });
    for (let i = 0; i < 3; i++) failOnce(b.limiter, "attacker");
    for (let i = 0; i < 10_000; i++) failOnce(b.limiter, `other-${i}`);
    expect(b.limiter.size).toBeLessThanOrEqual(100);
    expect(b.limiter.peek("attacker")).toHaveProperty("retryAfter");
  });

  it("lets a crowd of blocked addresses push nobody out, and share one budget when there is no room", () => {
    const b = bench({ max: 3, maxEntries: 100 });
    let guesses = 0;
    for (let address = 0; address < 5000; address++) {
      for (let i = 0; i < 5; i++) if (failOnce(b.limiter, `x${address}`) === undefined) guesses += 1;
    }
    expect(b.limiter.size).toBe(100);
    expect(b.limiter.peek("x0")).toHaveProperty("retryAfter");
    expect(guesses).toBe(101 * 3);
    b.now += 60_000;
    expect(b.limiter.peek("x0")).toBe("free");
    expect(b.limiter.peek("newcomer")).toBe("free");
    expect(failOnce(b.limiter, "newcomer")).toBeUndefined();
    expect(b.limiter.size).toBeLessThanOrEqual(100);
  });

  it("never forgets an address with guesses in flight", () => {
    const b = bench({ max: 2, maxEntries: 4 });
    const flying = entered(b.limiter.enter("a"));
    for (let i = 0; i < 50; i++) failOnce(b.limiter, `n${i}`);
    flying.fail();
    failOnce(b.limiter, "a");
    expect(b.limiter.peek("a")).toHaveProperty("retryAfter");
  });
});
