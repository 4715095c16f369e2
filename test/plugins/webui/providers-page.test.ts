/** What the page of providers works out by itself: whose a problem is, who is asked, where a login ends. */
import { expect, it } from "vitest";
import { orderOf } from "../../../plugins/webui/app/pages/providers/order.ts";
import { type Provider, problemOf } from "../../../plugins/webui/app/pages/providers/shapes.ts";
import { endsLogin } from "../../../plugins/webui/app/pages/providers/way-back.ts";

it("gives a problem to the provider it names, also where another one's name begins with that", () => {
  const problem = (path: string) => ({ path: `models.providers.${path}`, message: "must be set" });
  const [own, others, whole] = [problem("a.api_base"), problem("a.b.api_key"), problem("a.b")];
  const of = (name: string, ...problems: ReturnType<typeof problem>[]) =>
    problemOf({ problems, configured: ["a", "a.b", "ab"] }, name);
  expect(of("a", others, own)).toBe(own);
  expect(of("a", others, whole)).toBeUndefined();
  expect(of("a.b", own, others)).toBe(others);
  expect(of("a.b", whole)).toBe(whole);
  expect(of("ab", own, others)).toBeUndefined();
});

it("asks each credential of each model in order, and knows whose rest is whose", () => {
  const candidate = (target: string) => ({ kind: "api_key", target, available: true, health_score: 100 });
  const one = {
    name: "one",
    candidates: [candidate("k1"), candidate("k2")],
    cooldowns: [
      { credential: "k1", reason: "unauthorized", seconds: null },
      { credential: "k2", model: "one/large", reason: "quota", seconds: 9 },
    ],
  } as unknown as Provider;
  const steps = orderOf(["one/large", "one/small", "gone/x"], { providers: [one] });
  expect(steps.map(({ model, candidate: who, rest }) => [model, who?.target, rest?.reason])).toEqual([
    ["one/large", "k1", "unauthorized"],
    ["one/large", "k2", "quota"],
    ["one/small", "k1", "unauthorized"],
    ["one/small", "k2", undefined],
    ["gone/x", undefined, undefined],
  ]);
});

it.each([
  ["http://localhost:1455/callback?code=abc&state=S-1", true],
  ["code=abc&state=S-1", true],
  ["abc#S-1", true],
  ["http://localhost:1455/callback#state=S-1&code=abc", true],
  ["http://localhost:1455/callback?error=access_denied&state=S-1", true],
  ["http://localhost:1455/callback?code=abc&state=S-2", false],
  ["https://login.example/authorize?response_type=code&code_challenge=x&state=S-1", false],
  ["", false],
  ["S-1", false],
])("knows whether %s is where a login ends", (pasted, is) => {
  expect(endsLogin("https://login.example/authorize?response_type=code&state=S-1", pasted)).toBe(is);
});
