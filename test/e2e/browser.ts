/** The browser of the end-to-end tests, one for all files of a run: Debian's Chromium, or what `CHELA_CHROMIUM` names. */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { BrowserServer } from "playwright-core";

/** The one that cannot draw windows does the same with a quarter less CPU. */
const places = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"].map(
  (name) => `/usr/bin/${name}`,
);

/** Undefined where there is none. */
export function chromiumPath(): string | undefined {
  const named = process.env.CHELA_CHROMIUM;
  return named !== undefined && named !== "" ? named : places.find((path) => existsSync(path));
}

/** Tells whoever asks at `address` where the browser is; the first to ask has it started. */
export async function offerBrowser(): Promise<{ address: string; close(): Promise<void> }> {
  let browser: Promise<BrowserServer> | undefined;
  const door = createServer((_, res) => {
    browser ??= launch();
    browser.then(
      (running) => res.end(running.wsEndpoint()),
      (error: Error) => res.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((listening) => door.listen(0, "127.0.0.1", listening));
  return {
    address: `http://127.0.0.1:${(door.address() as AddressInfo).port}`,
    close: async () => {
      door.close();
      await (await browser?.catch(() => undefined))?.close();
    },
  };
}

async function launch(): Promise<BrowserServer> {
  const { chromium } = await import("playwright-core");
  return chromium.launchServer({
    executablePath: chromiumPath(),
    // Root has no sandbox; and a browser that looks for its maker's servers only finds closed doors here.
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"].concat([
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-dev-shm-usage",
    ]),
  });
}
