/** Health checks of what is live: each bounded, a throwing one is unhealthy, never an error of the caller. */
import type { HealthReport } from "@chela/sdk";
import type { Generation } from "./compose.ts";
import { deadline } from "./scope.ts";

const checkMs = 2000;

export async function healthReport(generation: Generation): Promise<HealthReport> {
  const checks = await Promise.all(
    generation.health.map(async ({ owner, item }) => {
      const head = { plugin: owner.id, name: item.name };
      try {
        const late = () => ({ ok: false, error: `no answer within ${checkMs} ms` });
        return {
          ...head,
          ...(await deadline(
            Promise.resolve().then(() => item.check()),
            checkMs,
            late,
          )),
        };
      } catch (error) {
        return { ...head, ok: false, error: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
  return { ok: generation.blocked === "" && checks.every(({ ok }) => ok), checks };
}
