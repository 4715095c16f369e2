/** Health checks of what is live: each bounded; one that throws or says nothing plain is unhealthy, never an error of the caller. */
import type { Health, HealthReport } from "@chela/sdk";
import { deadline } from "../instance/scope.ts";
import type { Generation } from "./compose.ts";

const checkMs = 2000;
const nothing: Health = { ok: false, error: "the check told nothing; it returns { ok, … }" };

export async function healthReport(
  generation: Generation,
  reasonOf: (error: unknown) => string,
): Promise<HealthReport> {
  const checks = await Promise.all(
    generation.health.map(async ({ owner, item }) => {
      const head = { plugin: owner.id, name: item.name };
      try {
        const late = () => ({ ok: false, error: `no answer within ${checkMs} ms` });
        const asked = Promise.resolve().then(() => owner.scope.run(item.check));
        // A copy: what cannot be told as JSON must not spoil the report of the others.
        const facts = JSON.parse(JSON.stringify((await deadline(asked, checkMs, late)) ?? nothing)) as Health;
        return { ...facts, ...head, ok: facts.ok === true };
      } catch (error) {
        return { ...head, ok: false, error: reasonOf(error) };
      }
    }),
  );
  return { ok: generation.blocked === "" && checks.every(({ ok }) => ok), checks };
}
