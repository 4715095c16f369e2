/** Whose fault an uncaught error is, whatever was thrown and however its stack looks. */
import { describe, expect, it } from "vitest";
import { blame } from "../../kernel/host/blame.ts";
import type { Manifest } from "../../kernel/instance/instance.ts";
import { Scope } from "../../kernel/instance/scope.ts";

const manifest = (id: string, root: string) =>
  ({ id, root, entry: `${root}/index.js`, origin: "installed" }) as Manifest;
const manifests = [manifest("upper", "/state/plugins/upper"), manifest("lower", "/state/plugins/lo wer")];
const withStack = (stack: unknown) => Object.defineProperty(new Error("x"), "stack", { value: stack });
const nobody = new WeakSet<Scope>();

describe("blame", () => {
  it("names the plugin that stands highest, by path and by URL", () => {
    const stack =
      "Error: x\n at f (file:///state/plugins/lo%20wer/index.js:1:1)\n at g (/state/plugins/upper/a.js:2:2)";
    expect(blame(withStack(stack), manifests, nobody)).toBe("lower");
  });

  it.each([
    ["a text", "thrown"],
    ["nothing", undefined],
    ["null", null],
    ["an object without a prototype", Object.create(null)],
    ["a stack that is a number", withStack(42)],
    ["a stack that is a symbol", withStack(Symbol("x"))],
    ["no stack", withStack(undefined)],
    ["a stack of others", withStack("Error: x\n at node:net:1:1")],
    [
      "a stack that throws",
      Object.defineProperty(new Error("x"), "stack", {
        get() {
          throw new Error("no");
        },
      }),
    ],
  ])("%s is nobody's, and no fault of its own", (_what, thrown) => {
    expect(blame(thrown, manifests, nobody)).toBeUndefined();
  });

  it("names who runs only when that is one of this host's own", () => {
    const scope = new Scope("mine");
    const knows = Number.parseInt(process.versions.node, 10) >= 24;
    expect(scope.run(() => blame("thrown", manifests, new WeakSet([scope])))).toBe(knows ? "mine" : undefined);
    expect(scope.run(() => blame("thrown", manifests, nobody))).toBeUndefined();
  });
});
