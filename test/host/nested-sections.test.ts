/** A section inside another one's: each owner is told of its own keys, and `ctx.config` is current for both. */
import { type Context, Type } from "@chela/sdk";
import { startHost } from "@chela/sdk/testing";
import { expect, it } from "vitest";
import { plugin } from "./kit.ts";

it.each(["hybrid", "hot", "restart", "off"])("the outer owner sees what changed inside; mode %s", async (mode) => {
  const told: string[] = [];
  let outer: Context<unknown> | undefined;
  const around = plugin(
    "around",
    (ctx: Context<unknown>) => {
      outer = ctx;
      ctx.onConfig((_, changed) => void told.push(...changed));
    },
    { section: "house", config: Type.Object({ name: Type.String({ default: "" }) }), hot: ["*"] },
  );
  const inside = plugin("inside", () => undefined, {
    section: "house.room",
    config: Type.Object({ lit: Type.Boolean({ default: false }) }),
    hot: ["*"],
  });
  await using host = await startHost({ plugins: [around, inside], config: { gateway: { reload: { mode } } } });
  expect(outer?.config).toEqual({ name: "", room: { lit: false } });
  await host.config.write([{ path: "house.room.lit", value: true }], { who: "test" });
  expect(outer?.config).toEqual({ name: "", room: { lit: mode !== "off" } });
  expect(Object.isFrozen(outer?.config)).toBe(true);
  expect(told).toEqual([]);
});
