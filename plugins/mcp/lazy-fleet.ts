/** The fleet of servers is loaded and made when there is something to do with it, once. */
import type { Fleet } from "./client/fleet.ts";
import type { Ctx } from "./needs.ts";

export interface LazyFleet {
  opened(): Fleet | undefined;
  open(): Promise<Fleet>;
}

export function lazyFleet(ctx: Ctx): LazyFleet {
  let opened: Fleet | undefined;
  let opening: Promise<Fleet> | undefined;
  let started = false;
  ctx.start(() => {
    started = true;
  });
  const make = async () => {
    const { Fleet } = await import("./client/fleet.ts");
    const fleet = new Fleet(ctx);
    await fleet.recall(ctx.config);
    ctx.own("MCP servers", () => fleet.close());
    // All at once, before the children are ended one after the other.
    ctx.signal.addEventListener("abort", () => void fleet.close(), { once: true });
    opened = fleet;
    if (started) fleet.begin();
    return fleet;
  };
  return {
    opened: () => opened,
    open: () => {
      opening ??= make();
      return opening;
    },
  };
}
