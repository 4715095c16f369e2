/** What every command takes. */
import type { OptionSpec } from "./spec.ts";

export const globalOptions: readonly OptionSpec[] = [
  { flags: "--config <file>", about: "config file; default <state dir>/config.json (CHELA_CONFIG)" },
  { flags: "--state-dir <folder>", about: "state dir; default ~/.chela (CHELA_STATE_DIR)" },
  { flags: "--url <url>", about: "a gateway elsewhere (CHELA_GATEWAY_URL)" },
  { flags: "--token <token>", about: "its token; better in CHELA_GATEWAY_TOKEN, where other users cannot read it" },
  { flags: "--json", about: "print data as JSON" },
  { flags: "--no-color", about: "no colours (NO_COLOR)" },
  { flags: "--verbose", about: "more detail; errors with their stack" },
];
