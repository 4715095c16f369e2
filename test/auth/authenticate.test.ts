/** The way from credentials to an identity: right ones are never slowed, wrong ones meet the limiter (S-04, S-06, S-08). */
import { GatewayError, type Identity } from "@chela/sdk";
import { describe, expect, it } from "vitest";
import { Authenticator, type Identify } from "../../kernel/auth/authenticate.ts";
import { AuthLimiter } from "../../kernel/auth/limiter.ts";
import { bearer, present, resolved, token } from "./fixture.ts";

const auth = await resolved({ auth: { token } });
const nobody: Identify = () => undefined;
const key: Identity = { id: "key:1", name: "k", kind: "key", scopes: ["read"] };

function authenticator(max = 20) {
  const clock = { now: 0 };
  const limiter = new AuthLimiter({ max: () => max, windowMs: 60_000, now: () => clock.now });
  return Object.assign(clock, { authenticator: new Authenticator({ limiter, settings: () => auth }), limiter });
}

const wrong = (headers: object = {}, peer = "203.0.113.7") =>
  present(auth, { peer, headers: { ...bearer("wrong"), ...headers } });
const right = (headers: object = {}, peer = "203.0.113.7") =>
  present(auth, { peer, headers: { ...bearer(token), ...headers } });

async function code(answer: () => Identity | Promise<Identity>): Promise<string> {
  try {
    return (await answer()).id;
  } catch (error) {
    return GatewayError.is(error) ? error.code : String(error);
  }
}

describe("authenticate", () => {
  it("answers a right token at once, without asking a plugin and without a reservation", () => {
    const { authenticator: a, limiter } = authenticator();
    const identity = a.authenticate(right(), () => expect.fail("asked"), "read");
    expect(identity).not.toBeInstanceOf(Promise);
    expect(identity).toMatchObject({ id: "token" });
    expect(limiter.size).toBe(0);
  });

  it("refuses a wrong one with the exact words, and a missing one the same way without counting it", async () => {
    const { authenticator: a } = authenticator(3);
    for (let i = 0; i < 50; i++) {
      expect(() => a.authenticate(present(auth, {}), nobody, "read")).toThrow(
        expect.objectContaining({ code: "UNAUTHORIZED", status: 401, message: "unauthorized" }),
      );
    }
    await expect(a.authenticate(wrong(), nobody, "read")).rejects.toMatchObject({
      code: "UNAUTHORIZED",
      status: 401,
      message: "unauthorized",
      details: undefined,
    });
  });

  it("lets 300 wrong tokens meet 429, from there even the right one, from elsewhere not", async () => {
    const { authenticator: a } = authenticator();
    const codes: string[] = [];
    for (let i = 0; i < 300; i++) codes.push(await code(() => a.authenticate(wrong(), nobody, "read")));
    expect(codes.slice(0, 20).every((c) => c === "UNAUTHORIZED")).toBe(true);
    expect(codes.slice(20).every((c) => c === "RATE_LIMITED")).toBe(true);
    expect(await code(() => a.authenticate(right(), nobody, "read"))).toBe("RATE_LIMITED");
    expect(await code(() => a.authenticate(right({}, "198.51.100.1"), nobody, "read"))).toBe("token");
  });

  it("says when to come back", async () => {
    const state = authenticator(1);
    const attempt = async () => state.authenticator.authenticate(wrong(), nobody, "read");
    await expect(attempt()).rejects.toMatchObject({ status: 401 });
    const refusal = await attempt().catch((error: GatewayError) => error);
    expect(refusal).toMatchObject({ status: 429, code: "RATE_LIMITED" });
    const after = Number((refusal as GatewayError).headers?.["retry-after"]);
    expect(Number.isInteger(after) && after > 0 && after <= 60).toBe(true);
    state.now += after * 1000;
    expect(await code(() => state.authenticator.authenticate(right(), nobody, "read"))).toBe("token");
  });

  it("has one budget for all transports and all spellings of an address", async () => {
    const { authenticator: a } = authenticator(6);
    const guesses = [
      present(auth, { peer: "127.0.0.1", headers: bearer("a") }),
      present(auth, { peer: "::ffff:127.0.0.1", query: new URLSearchParams("token=b") }),
      present(auth, { peer: "::ffff:7f00:1", headers: { cookie: "chela_token=c" } }),
      present(auth, { peer: "127.0.0.1", headers: { cookie: "clawgo_webui_token=d" } }),
      present(auth, { peer: "127.0.0.1", allowReferer: true, headers: { referer: "http://h/?token=e" } }),
      present(auth, { peer: "127.0.0.1", headers: bearer("f") }, "stream"),
    ];
    for (const guess of guesses) expect(await code(() => a.authenticate(guess, nobody, "read"))).toBe("UNAUTHORIZED");
    expect(await code(() => a.authenticate(wrong({}, "127.0.0.1"), nobody, "read"))).toBe("RATE_LIMITED");
  });

  it("counts what a request guesses, each different secret once", async () => {
    const { authenticator: a, limiter } = authenticator(6);
    const same = present(auth, {
      headers: { ...bearer("a"), cookie: "chela_token=a" },
      query: new URLSearchParams("token=a"),
    });
    for (let i = 0; i < 3; i++) await code(() => a.authenticate(same, nobody, "read"));
    expect(limiter.peek("203.0.113.7")).toBe("free");
    const three = present(auth, {
      headers: { ...bearer("b"), cookie: "chela_token=c" },
      query: new URLSearchParams("token=d"),
    });
    await code(() => a.authenticate(three, nobody, "read"));
    expect(limiter.peek("203.0.113.7")).toHaveProperty("retryAfter");
  });

  it("shares one budget over an IPv6 customer's /64", async () => {
    const { authenticator: a } = authenticator(5);
    for (let i = 0; i < 5; i++) await code(() => a.authenticate(wrong({}, `2001:db8:1:2::${i + 1}`), nobody, "read"));
    expect(await code(() => a.authenticate(wrong({}, "2001:db8:1:2:ffff::9"), nobody, "read"))).toBe("RATE_LIMITED");
    expect(await code(() => a.authenticate(wrong({}, "2001:db8:1:3::1"), nobody, "read"))).toBe("UNAUTHORIZED");
  });

  it("cannot be given a new budget by a forged X-Forwarded-For", async () => {
    const { authenticator: a } = authenticator(5);
    for (let i = 0; i < 5; i++)
      await code(() => a.authenticate(wrong({ "x-forwarded-for": `10.0.0.${i}` }), nobody, "read"));
    expect(await code(() => a.authenticate(wrong({ "x-forwarded-for": "10.9.9.9" }), nobody, "read"))).toBe(
      "RATE_LIMITED",
    );
  });

  it("keeps a guessing web page from locking out the owner's own tools", async () => {
    const { authenticator: a } = authenticator(5);
    const pages = [
      { origin: "https://evil.example", host: "127.0.0.1:18790" },
      { origin: "null", host: "127.0.0.1:18790" },
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
      { origin: "https://evil2.example", host: "127.0.0.1:18790" },
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
    ];
    for (const page of pages) await code(() => a.authenticate(wrong(page, "127.0.0.1"), nobody, "read"));
    for (const page of pages) {
      expect(await code(() => a.authenticate(right(page, "127.0.0.1"), nobody, "read"))).toBe("RATE_LIMITED");
    }
    expect(await code(() => a.authenticate(right({}, "127.0.0.1"), nobody, "read"))).toBe("token");
  });
});

describe("with plugins that identify", () => {
  const slowKey: Identify = async ({ candidates }) => {
    await Promise.resolve();
    return candidates.some(({ value }) => value === "a-key") ? key : undefined;
  };
  const withKey = () => present(auth, { headers: bearer("a-key") });

  it("lets a right burst larger than the budget pass", async () => {
    const { authenticator: a, limiter } = authenticator(5);
    const ids = await Promise.all(
      Array.from({ length: 200 }, () => code(() => a.authenticate(withKey(), slowKey, "read"))),
    );
    expect(new Set(ids)).toEqual(new Set(["key:1"]));
    expect(limiter.peek("203.0.113.7")).toBe("free");
  });

  it("lets 100 parallel guesses try no more than the budget", async () => {
    const { authenticator: a } = authenticator(20);
    let asked = 0;
    const count: Identify = async () => {
      asked += 1;
      await Promise.resolve();
      return undefined;
    };
    const codes = await Promise.all(
      Array.from({ length: 100 }, () => code(() => a.authenticate(wrong(), count, "read"))),
    );
    expect(asked).toBe(20);
    expect(codes.filter((c) => c === "UNAUTHORIZED")).toHaveLength(20);
    expect(codes.filter((c) => c === "RATE_LIMITED")).toHaveLength(80);
  });

  it("does not let parallel guesses at the token slip through before the first failure counts", async () => {
    const { authenticator: a } = authenticator(3);
    const never: Identify = () => new Promise(() => undefined);
    for (let i = 0; i < 3; i++) void a.authenticate(wrong(), never, "read");
    let done = false;
    void Promise.resolve(a.authenticate(right(), never, "read")).then(() => {
      done = true;
    });
    await new Promise(setImmediate);
    expect(done).toBe(false);
  });

  it("counts a refusal that a plugin throws, and not its faults", async () => {
    const { authenticator: a } = authenticator(3);
    const broken: Identify = () => Promise.reject(new Error("database is locked"));
    for (let i = 0; i < 10; i++) expect(await code(() => a.authenticate(wrong(), broken, "read"))).toMatch("database");
    const expired: Identify = () => Promise.reject(new GatewayError("KEY_EXPIRED", 401, "unauthorized"));
    for (let i = 0; i < 3; i++) expect(await code(() => a.authenticate(wrong(), expired, "read"))).toBe("KEY_EXPIRED");
    expect(await code(() => a.authenticate(wrong(), expired, "read"))).toBe("RATE_LIMITED");
  });

  it("asks plugins about requests without a secret too", async () => {
    const { authenticator: a } = authenticator();
    expect(await code(() => a.authenticate(present(auth, {}), async () => key, "read"))).toBe("key:1");
    expect(await code(() => a.authenticate(present(auth, {}), async () => undefined, "read"))).toBe("UNAUTHORIZED");
    expect(await code(() => a.authenticate(present(auth, {}), nobody, "public"))).toBe("anonymous");
  });
});

describe("public entrances", () => {
  it("never refuse, but count wrong credentials and recognise nobody who is blocked", async () => {
    const { authenticator: a } = authenticator(3);
    expect(await code(() => a.authenticate(right(), nobody, "public"))).toBe("token");
    for (let i = 0; i < 10; i++) expect(await code(() => a.authenticate(wrong(), nobody, "public"))).toBe("anonymous");
    expect(await code(() => a.authenticate(right(), nobody, "public"))).toBe("anonymous");
    expect(await code(() => a.authenticate(right(), nobody, "read"))).toBe("RATE_LIMITED");
  });
});

it("costs an authenticated request a few microseconds", () => {
  const { authenticator: a } = authenticator();
  const headers = { host: "127.0.0.1:18790", ...bearer(token) };
  const rounds = 20_000;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const from = performance.now();
    for (let i = 0; i < rounds; i++) void a.authenticate(present(auth, { peer: "127.0.0.1", headers }), nobody, "read");
    best = Math.min(best, ((performance.now() - from) / rounds) * 1000);
  }
  expect(best).toBeLessThan(60);
});
