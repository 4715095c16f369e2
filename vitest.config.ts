/** How the tests run: in threads, everything below `test/`, the binary built once before the first that needs it. */
import { defineConfig } from "vitest/config";

const report = process.env.CHELA_TEST_REPORT;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "test/fixtures/**"],
    pool: "threads",
    // Many tests wait for processes, sockets and deadlines: a worker per core, where vitest would leave one core idle.
    maxWorkers: "100%",
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
