import { describe, expect, test } from "vitest";
import { editsFor } from "../../../plugins/api-config/merge.ts";

describe("the edits a body means", () => {
  const file = {
    gateway: { port: 1 },
    unknown: { a: 1 },
    models: { providers: { "z.ai": { api_key: "__CHELA_REDACTED__", models: ["a"] } } },
  };
  const view = {
    gateway: { port: 1, host: "", reload: { mode: "hybrid" } },
    unknown: { a: 1 },
    models: { providers: { "z.ai": { api_key: "__CHELA_REDACTED__", models: ["a"], timeout_sec: 90 } } },
    store: {},
  };

  test("what was read and sent back is none", () => {
    expect(editsFor(structuredClone(view), file, view)).toEqual([]);
    expect(editsFor({}, file, view)).toEqual([]);
  });

  test("only named leaves, with defaults left out of the file", () => {
    const body = { gateway: { port: 2, host: "", reload: { mode: "hot" } }, new: { deep: { key: true } } };
    expect(editsFor(body, file, view)).toEqual([
      { path: "gateway.port", value: 2 },
      { path: "gateway.reload.mode", value: "hot" },
      { path: "new.deep.key", value: true },
    ]);
  });

  test("lists are one value, null is nothing, an empty object takes nothing away", () => {
    const body = {
      models: { providers: { "z.ai": { models: [], api_key: null } } },
      gateway: {},
      store: {},
      fresh: {},
      unknown: null,
    };
    expect(editsFor(body, file, view)).toEqual([
      { path: 'models.providers["z.ai"].models', value: [] },
      { path: "fresh", value: {} },
    ]);
  });

  test("a value of another kind replaces the old one whole", () => {
    expect(editsFor({ gateway: 7, unknown: { a: { b: 1 } } }, file, view)).toEqual([
      { path: "gateway", value: 7 },
      { path: "unknown.a", value: { b: 1 } },
    ]);
  });

  test("what the environment overrides is not written when it comes back as read", () => {
    expect(editsFor({ gateway: { port: 9 } }, { gateway: { port: 1 } }, { gateway: { port: 9 } })).toEqual([]);
    expect(editsFor({ gateway: { port: 1 } }, { gateway: { port: 1 } }, { gateway: { port: 9 } })).toEqual([]);
  });

  test("keys of Object are only keys", () => {
    expect(editsFor({ toString: 1, hasOwnProperty: { a: 1 } }, file, view)).toEqual([
      { path: "toString", value: 1 },
      { path: "hasOwnProperty.a", value: 1 },
    ]);
  });

  test("too many at once are refused", () => {
    const body = Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`k${i}`, i]));
    expect(() => editsFor(body, {}, {})).toThrow("more than 10000 changes");
  });
});
