/** The behaviour matrix of hooks: every kind, every way a tap can misbehave, first and after an asynchronous one. */
import { GatewayError, type HookName, hookKinds } from "@chela/sdk";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { HookSet, type Tap } from "../../kernel/hooks.ts";
import { Scope } from "../../kernel/instance/scope.ts";

type Fn = (...args: never[]) => unknown;

function tap(
  hook: HookName,
  id: string,
  fn: Fn,
  { order, critical = false }: { order?: "pre" | "post"; critical?: boolean } = {},
): Tap & { owner: { scope: Scope } } {
  return { hook, fn, order, owner: { id, critical, scope: new Scope(id) }, stats: { calls: 0, errors: 0, ms: 0 } };
}

const asyncKinds = ["http:request", "http:reply", "turn:done", "host:stopping"] as const satisfies readonly HookName[];
const slow: Fn = async () => {
  await new Promise((done) => setImmediate(done));
  return undefined;
};
const sour: readonly (readonly [string, Fn])[] = [
  [
    "throws at once",
    () => {
      throw new Error("sour");
    },
  ],
  ["rejects", () => Promise.reject(new Error("sour"))],
  [
    "rejects late",
    async () => {
      await slow();
      throw new Error("sour");
    },
  ],
  ["returns a non-promise", () => undefined],
];

describe.each(asyncKinds)("%s", (hook) => {
  it.each(sour)("settles when a tap %s, first or after another", async (name, fn) => {
    for (const position of ["first", "after"] as const) {
      const faults: string[] = [];
      const bad = tap(hook, "bad", fn);
      const good = tap(hook, "good", slow);
      const hooks = new HookSet(position === "first" ? [bad, good] : [good, bad], (owner) => faults.push(owner));
      const value = await hooks.run(hook, "value" as never, "context" as never);
      expect(value).toBe(hookKinds[hook] === "waterfall" ? "value" : undefined);
      expect(faults).toEqual(name === "returns a non-promise" ? [] : ["bad"]);
      expect(good.stats.calls).toBe(1);
    }
  });

  it("mutes a tap whose scope closed in the middle of a call", async () => {
    const gate = deferred();
    const first = tap(hook, "first", () => gate.promise);
    const second = tap(hook, "second", () => {
      throw new Error("must not run");
    });
    const third = tap(hook, "third", () => undefined);
    const faults: string[] = [];
    const hooks = new HookSet(hookKinds[hook] === "parallel" ? [first, third] : [first, second, third], (owner) =>
      faults.push(owner),
    );
    const running = hooks.run(hook, "value" as never, "context" as never);
    await second.owner.scope.close(10);
    gate.resolve(undefined);
    await running;
    expect(faults).toEqual([]);
    expect(third.stats.calls).toBe(1);
  });
});

describe("the algebra", () => {
  it("bail: the first answer wins, pre before post", async () => {
    const hooks = new HookSet(
      [
        tap("agent:pick", "c", () => "last", { order: "post" }),
        tap("agent:pick", "b", () => "middle"),
        tap("agent:pick", "a", () => undefined, { order: "pre" }),
      ],
      () => undefined,
    );
    expect(await hooks.run("agent:pick", {} as never)).toBe("middle");
  });

  it("waterfall: undefined keeps the value, a fault keeps the value", async () => {
    const hooks = new HookSet(
      [
        tap("http:reply", "a", ((reply: { status: number }) => ({ ...reply, status: reply.status + 1 })) as Fn),
        tap("http:reply", "b", () => {
          throw new Error("sour");
        }),
        tap("http:reply", "c", ((reply: { status: number }) => ({ ...reply, status: reply.status * 2 })) as Fn),
      ],
      () => undefined,
    );
    expect(await hooks.run("http:reply", { status: 200, headers: {} }, {} as never)).toMatchObject({ status: 402 });
  });

  it("sync: a throwing tap never reaches the caller nor stops the next", () => {
    const seen: string[] = [];
    const hooks = new HookSet(
      [
        tap("model:chunk", "bad", () => {
          throw new Error("sour");
        }),
        tap("model:chunk", "good", ((text: string) => seen.push(text)) as Fn),
      ],
      () => undefined,
    );
    hooks.run("model:chunk", "a", {} as never);
    expect(seen).toEqual(["a"]);
  });

  it("a hook nobody taps costs nothing and answers at once", async () => {
    const hooks = new HookSet([], () => undefined);
    expect(hooks.has("agent:pick")).toBe(false);
    expect(await hooks.run("http:reply", { status: 7, headers: {} }, {} as never)).toMatchObject({ status: 7 });
  });
});

describe("faults", () => {
  it("a GatewayError thrown on purpose reaches the caller and is no fault", async () => {
    const faults: string[] = [];
    const refuse = tap("message:in", "moderator", () => {
      throw new GatewayError("MODERATED", 403, "no");
    });
    const hooks = new HookSet([refuse], (owner) => faults.push(owner));
    await expect(hooks.run("message:in", {} as never)).rejects.toMatchObject({ code: "MODERATED" });
    expect(faults).toEqual([]);
  });

  it.each(["auth:authorize", "tool:before"] as const)("%s fails closed", async (hook) => {
    const hooks = new HookSet(
      [
        tap(hook, "policy", () => {
          throw new Error("sour");
        }),
      ],
      () => undefined,
    );
    await expect(hooks.run(hook, {} as never, {} as never)).rejects.toMatchObject({ code: "HOOK_FAILED", status: 503 });
  });

  it("http:request of a critical plugin fails closed, of another it passes", async () => {
    const sick = () => {
      throw new Error("sour");
    };
    const open = new HookSet([tap("http:request", "extra", sick)], () => undefined);
    expect(await open.run("http:request", {} as never)).toBeUndefined();
    const closed = new HookSet([tap("http:request", "firewall", sick, { critical: true })], () => undefined);
    await expect(closed.run("http:request", {} as never)).rejects.toMatchObject({ code: "HOOK_FAILED" });
  });
});

function deferred(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => undefined;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe("deadlines", () => {
  const minutes = 60_000;

  it.each([
    ["message:in", 0.5, { text: "x" }],
    ["tool:before", 15, undefined],
  ] as const)("%s: %d minutes, then the tap is at fault", async (hook, limit, without) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const faults: string[] = [];
    const gate = deferred();
    const hooks = new HookSet([tap(hook, "slow", () => gate.promise)], (owner) => faults.push(owner));
    let state = "waiting";
    const running = (hooks.run(hook, { text: "x" } as never) as Promise<unknown>).then(
      (value) => {
        state = "passed";
        return value;
      },
      (error: GatewayError) => {
        state = error.code;
      },
    );
    await vi.advanceTimersByTimeAsync(limit * minutes - 1);
    expect({ state, faults }).toEqual({ state: "waiting", faults: [] });
    await vi.advanceTimersByTimeAsync(1);
    expect(await running).toEqual(without);
    // What decides about tools refuses when it does not answer.
    expect({ state, faults }).toEqual({ state: without ? "passed" : "HOOK_FAILED", faults: ["slow"] });
  });
});

describe("auth:authorize, of taps that answer at once and taps that do not", () => {
  const want = { what: "route", name: "GET /x", access: "read", owner: "x" } as const;
  const caller = { id: "k", name: "k", kind: "key", scopes: ["read"] } as const;
  const no = new GatewayError("FORBIDDEN", 403, "no");
  const kinds: Record<string, readonly [() => unknown, "pass" | "refuse" | "fault"]> = {
    "passes at once": [() => undefined, "pass"],
    "passes later": [slow as () => unknown, "pass"],
    "refuses at once": [() => no, "refuse"],
    "refuses later": [
      async () => {
        await slow();
        return no;
      },
      "refuse",
    ],
    "throws a refusal": [() => Promise.reject(no), "refuse"],
    "fails at once": [sour[0]?.[1] as () => unknown, "fault"],
    "fails later": [sour[2]?.[1] as () => unknown, "fault"],
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about
    "is a thenable that fails": [() => ({ then: sour[0]?.[1] }), "fault"],
    "says yes": [() => true, "fault"],
  };
  const pairs = Object.keys(kinds).flatMap((first) => Object.keys(kinds).map((second) => [first, second] as const));

  it.each(pairs)("one that %s, then one that %s: the first that does not pass decides", async (first, second) => {
    const [a, b] = [kinds[first], kinds[second]] as [(typeof kinds)[string], (typeof kinds)[string]];
    const hooks = new HookSet([tap("auth:authorize", "a", a[0]), tap("auth:authorize", "b", b[0])], () => {});
    const asked = async () => hooks.authorize(caller, want);
    const answer = await asked().catch((error: unknown) => error);
    const expected = a[1] === "pass" ? b[1] : a[1];
    const code = { pass: undefined, refuse: "FORBIDDEN", fault: "HOOK_FAILED" }[expected];
    expect((answer as GatewayError | undefined)?.code).toBe(code);
  });

  it("one that answers now so and now otherwise is understood each time", async () => {
    let count = 0;
    const moody = tap("auth:authorize", "moody", () => (count++ % 2 === 0 ? no : Promise.resolve(no)));
    const hooks = new HookSet([moody], () => {});
    for (let round = 0; round < 6; round++) expect(await hooks.authorize(caller, want)).toBe(no);
    expect(moody.owner.scope.inFlight).toBe(0);
    expect(moody.stats.calls).toBe(6);
  });
});
