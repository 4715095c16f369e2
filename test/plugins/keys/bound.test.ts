/** What a call may use at most, and how long that is held for it. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { boundOf } from "../../../plugins/keys/bound.ts";
import { Reservations } from "../../../plugins/keys/reservations.ts";
import { until } from "../../kit/until.ts";

describe("what a call may use at most", () => {
  const bound = (request: object, purpose = "straight") => boundOf({ purpose, request } as never);

  it.each([
    ["max_tokens", 7, 7],
    ["max_completion_tokens", 7, 7],
    ["max_output_tokens", 7, 7],
    ["maxTokens", 7, 7],
    ["max_tokens", 1e308, 1e12],
    ["max_tokens", "7", 4096],
    ["max_tokens", -7, 4096],
    ["top_p", 1, 4096],
  ])("with %s %j is %i tokens out, for each choice", (name, value, most) => {
    expect(bound({ [name]: value }).outputTokens).toBe(most);
    expect(bound({ [name]: value, n: 3 }).outputTokens).toBe(Math.min(3 * most, 1e12));
  });

  it("is the most of what it says, however often it says it", () => {
    expect(bound({ maxTokens: 1, max_completion_tokens: 2, max_tokens: 50 }).outputTokens).toBe(50);
    expect(bound({ max_completion_tokens: 60, max_tokens: null }).outputTokens).toBe(60);
  });

  it("grows with all that is sent, in any language; pictures count by what they show", () => {
    const of = (content: unknown) => bound({ messages: [{ role: "user", content }] }).inputTokens;
    expect(of("word ".repeat(3000)) - of("")).toBe(5000);
    expect(of("三".repeat(1000)) - of("")).toBe(1000);
    const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(1e6)}` } };
    expect(of([picture])).toBeLessThan(2_100);
    for (const file of [{ image_url: picture.image_url.url }, { file: { file_data: picture.image_url.url } }])
      expect(of([file])).toBeLessThan(2_100);
    const byAddress = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
    expect(of([byAddress, byAddress])).toBeGreaterThan(4_000);
    expect(of(`data: ${"word ".repeat(3000)}`)).toBeGreaterThan(5000);
    expect(of([{ type: "text", text: `data:image/png;base64,${"A".repeat(30_000)}` }])).toBeGreaterThan(10_000);
    const tools = [{ name: "read_file", about: "Reads", input: { path: "x".repeat(300) } }];
    expect(bound({ tools }).inputTokens).toBeGreaterThan(100);
    expect(bound({ input: Array(8000).fill(1) }, "embeddings")).toEqual({ inputTokens: 8002, outputTokens: 0 });
    expect(boundOf({ purpose: "turn" })).toEqual({ inputTokens: 1000, outputTokens: 4096 });
  });

  it("can be judged of a request that is nested without end", () => {
    let deep: unknown[] = [];
    for (let level = 0; level < 200_000; level += 1) deep = [deep];
    expect(bound({ deep }).outputTokens).toBe(4096);
  });
});

describe("reservations", () => {
  const caller = () => ({ purpose: "test" });
  const claim = (tokens: number, usd: number) => ({ tokens, usd, most: { inputTokens: tokens, outputTokens: 0 } });

  it("whose end is never told are forgotten after a quarter of an hour", () => {
    const clock = { now: 0 };
    const all = new Reservations(() => clock.now);
    all.add("a", caller(), claim(5, 1));
    clock.now = 60_000;
    const later = caller();
    all.add("a", later, claim(7, 2));
    expect(all.sums("a")).toEqual({ tokens: 12, usd: 3 });
    clock.now = 15 * 60_000 + 1;
    expect(all.sums("a")).toEqual({ tokens: 7, usd: 2 });
    all.settle("a", later);
    expect([all.sums("a"), all.size]).toEqual([{ tokens: 0, usd: 0 }, 0]);
  });

  it("belong to one call each, and one that is unknown ends none", () => {
    const all = new Reservations();
    const callers = [caller(), caller(), caller()] as const;
    for (const [index, one] of callers.entries()) all.add("a", one, claim(10 ** index, 0));
    all.settle("a", callers[1]);
    all.settle("a", callers[1]);
    all.settle("a", caller());
    all.settle("b", callers[0]);
    expect(all.sums("a")).toEqual({ tokens: 101, usd: 0 });
  });

  it("keep nothing of a request whose end is never told", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const all = new Reservations();
    const begun = () => {
      const one = caller();
      all.add("a", one, claim(5, 1));
      return new WeakRef(one);
    };
    const lost = begun();
    await until(() => {
      collect();
      return lost.deref() === undefined;
    });
    expect(all.sums("a")).toEqual({ tokens: 5, usd: 1 });
  });
});
