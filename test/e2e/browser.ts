/** The browser of the end-to-end tests: Debian's Chromium, or what `CHELA_CHROMIUM` names. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Undefined where there is none. */
export function chromiumPath(): string | undefined {
  const named = process.env.CHELA_CHROMIUM;
  return named !== undefined && named !== "" ? named : places.find((path) => existsSync(path));
}

export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    // Root has no sandbox; and a browser that looks for its maker's servers only finds closed doors here.
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"].concat([
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-dev-shm-usage",
    ]),
  });
}
