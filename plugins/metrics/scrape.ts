/** One look at everything, as text: the gateway's own figures, and the event loop's since the look before. */
import type { Gateway, Plugins } from "@chela/sdk";
import { createExposition } from "./exposition.ts";
import { Lag } from "./lag.ts";

export interface Scrape {
  readonly contentType: string;
  text(): Promise<string>;
  /** Ends the sampling. */
  close(): void;
}

export async function openScrape(gateway: Gateway, plugins: Plugins): Promise<Scrape> {
  const lag = new Lag();
  const { contentType, text } = await createExposition();
  return {
    contentType,
    text: () => text({ gateway, plugins, stats: gateway.stats(), lag: lag.take() }),
    close: () => lag.close(),
  };
}
