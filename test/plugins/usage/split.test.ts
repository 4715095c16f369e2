/** Sums that are split once more, for stacked charts; what keys are called; what models cost. */
import { expect, test } from "vitest";
import apiConfig from "../../../plugins/api-config/index.ts";
import keys from "../../../plugins/keys/index.ts";
import { key as keyIdentity, record, usageHost } from "./kit.ts";

const dayMs = 86_400_000;
const by = {
  identity: { id: "t", name: "t", kind: "token", scopes: ["admin"] },
  id: "1",
  signal: new AbortController().signal,
} as const;

interface Share {
  readonly name: string;
  readonly calls: number;
  readonly label?: string;
}

interface Answer {
  readonly total: { readonly calls: number };
  readonly splits: readonly Share[];
  readonly rows: readonly (Share & {
    readonly parts: readonly Share[];
    readonly rest: { readonly calls: number } | null;
  })[];
}

const ask = (rig: Awaited<ReturnType<typeof usageHost>>, params: unknown) =>
  rig.host.gateway.call("usage.totals", params, by) as Promise<Answer>;
const counts = (shares: readonly Share[]) => Object.fromEntries(shares.map(({ name, calls }) => [name, calls]));

test("each day is split by model: the largest by name, all others together, and nothing is lost", async () => {
  const rig = await usageHost();
  const now = Date.now();
  const calls = Array.from({ length: 20 }, (_, model) =>
    Array.from({ length: 20 - model }, (__, call) =>
      record({ at: now - (call % 3) * dayMs, model: `sim/m${model}`, provider: "sim" }),
    ),
  );
  await rig.ended(...calls.flat());
  const { total, splits, rows } = await ask(rig, { by: "day", split: "model" });
  expect(splits.map(({ name }) => name)).toEqual(Array.from({ length: 12 }, (_, model) => `sim/m${model}`));
  expect([total.calls, rows.length]).toEqual([210, 3]);
  for (const { calls: all, parts, rest } of rows)
    expect(parts.reduce((sum, part) => sum + part.calls, 0) + (rest?.calls ?? 0)).toBe(all);
  const ofModels = rows.flatMap(({ parts }) => parts).filter(({ name }) => name === "sim/m0");
  expect(ofModels.map(({ calls: count }) => count)).toEqual([6, 7, 7]);
  const filtered = await ask(rig, { by: "day", split: "model", model: "sim/m19" });
  expect(filtered.rows.map(({ parts, rest }) => [counts(parts), rest])).toEqual([[{ "sim/m19": 1 }, null]]);
  expect(await ask(rig, { by: "day", split: "model", session: "nowhere" })).toMatchObject({ splits: [], rows: [] });
});

test("over HTTP too, in ClawGo's spelling; what nothing is split by is refused", async () => {
  const rig = await usageHost();
  await rig.ended(record(), record({ identity: undefined, model: "sim/x", provider: "sim" }));
  const reply = (await rig.host.request("/api/usage?by=model&split=key")).json() as Answer;
  expect(reply).toMatchObject({
    split: "identity",
    rows: [
      {
        name: "openai/gpt-4o",
        input_tokens: 1_000,
        parts: [{ name: "token", input_tokens: 1_000, calls: 1 }],
        rest: null,
      },
      { name: "sim/x", parts: [{ name: "", calls: 1 }] },
    ],
  });
  for (const split of ["day", "session", "name; DROP TABLE usage_calls"]) {
    const refused = await rig.host.request(`/api/usage?split=${encodeURIComponent(split)}`);
    expect([refused.status, refused.text.split(",")[0]]).toEqual([400, "split must be one of model"]);
  }
});

test("keys are told by what people call them, beside their ids", async () => {
  const rig = await usageHost({ plugins: [apiConfig, keys] });
  const made = (await rig.host.gateway.call("keys.add", { name: "ci", scopes: ["read"] }, by)) as { id: string };
  await rig.ended(record({ identity: keyIdentity(made.id) }), record({ identity: keyIdentity("k_gone") }), record());
  const { rows } = await ask(rig, { by: "key" });
  expect(new Map(rows.map(({ name, label }) => [name, label]))).toEqual(
    new Map([
      [`key:${made.id}`, "ci"],
      ["key:k_gone", undefined],
      ["token", undefined],
    ]),
  );
  const split = await ask(rig, { by: "day", split: "key" });
  expect(split.splits).toContainEqual({ name: `key:${made.id}`, label: "ci" });
  expect(split.rows[0]?.parts).toContainEqual(expect.objectContaining({ label: "ci", calls: 1 }));
});

test("usage.prices says what models cost, as the config has it or the list, and null where nobody knows", async () => {
  const rig = await usageHost({ config: { usage: { prices: { "mine/own": { input: 1, output: 2, cached: 0.5 } } } } });
  const asked = { models: ["mine/own", "openai/gpt-4o", "sim/unheard-of", "offline", "__proto__"] };
  expect(await rig.host.gateway.call("usage.prices", asked, by)).toEqual({
    prices: {
      "mine/own": { input: 1, output: 2, cached: 0.5 },
      "openai/gpt-4o": { input: 2.5, output: 10, cached: 1.25 },
      "sim/unheard-of": null,
      offline: null,
      ["__proto__"]: null,
    },
  });
});
