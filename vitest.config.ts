/** How the tests run: in a few processes that take file after file, everything below `test/`, the binary built once before the first that needs it. */
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { chromiumPath } from "./test/e2e/browser.ts";
import { LongestFirst } from "./test/kit/sequencer.ts";

const hasBrowser = chromiumPath() !== undefined;
if (!hasBrowser && process.env.CI) throw new Error("no Chromium: install it, or name one in CHELA_CHROMIUM");
if (!hasBrowser)
  process.emitWarning("No Chromium here (see CONTRIBUTING.md): the tests of the WebUI in a browser are left out.");

const report = process.env.CHELA_TEST_REPORT;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "test/fixtures/**", ...(hasBrowser ? [] : ["test/e2e/**"])],
    pool: "forks",
    // Modules hold no state (see the arch test), so that the files of a worker can share them.
    isolate: false,
    unstubGlobals: true,
    unstubEnvs: true,
    sequence: { sequencer: LongestFirst },
    // Many tests wait for processes, browsers, sockets and deadlines: half as many workers again as there are cores.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
    // CI reads the counts from a file; people read the default reporter.
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    globalSetup: ["test/kit/global-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    dangerouslyIgnoreUnhandledErrors: false,
    passWithNoTests: false,
    allowOnly: false,
    // Tests start gateways of their own: nothing of the caller's may leak into them.
    env: { CHELA_DISCOVERY: "off", NO_COLOR: "1" },
  },
});
