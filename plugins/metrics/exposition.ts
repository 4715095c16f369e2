/** The door to prom-client: one registry of its own that holds no value, only what is read at the moment of a scrape. */
import type { Metric } from "prom-client";
import { families, type Snapshot } from "./families.ts";

export interface Exposition {
  readonly contentType: string;
  text(now: Snapshot): Promise<string>;
}

export async function createExposition(): Promise<Exposition> {
  // By way of `default`: the names of a CommonJS module do not survive being bundled.
  const { default: client } = await import("prom-client");
  const { Registry } = client;
  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    text(now) {
      const registry = new Registry();
      for (const { name, help, type, read } of families) {
        const values = read(now).map((sample) => ({
          metricName: sample.name,
          labels: sample.labels,
          value: sample.value,
        }));
        const metric = { name, get: async () => ({ name, help, type, values }) };
        registry.registerMetric(metric as unknown as Metric);
      }
      return registry.metrics();
    },
  };
}
