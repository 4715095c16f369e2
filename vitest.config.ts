/** How the tests run: in threads, everything below `test/`, the binary built once before the first that needs it. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "test/fixtures/**"],
    pool: "threads",
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
