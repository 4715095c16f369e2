#!/usr/bin/env node
/** The `chela` binary: hands the process to the command line and ends with its exit code. */
import { systemIo } from "./cli/io.ts";
import { main } from "./cli/main.ts";

/** A reader that has seen enough (`chela logs | head`) is no fault. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 70));
}

/** Node 22 calls the SQLite that it has built in experimental; no operator can act on that. Every other warning passes. */
const { emitWarning } = process;
process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
  if (/^SQLite is an experimental feature\b/.test(String(warning)) && rest[0] === "ExperimentalWarning") return;
  Reflect.apply(emitWarning, process, [warning, ...rest]);
};

process.exitCode = await main(process.argv.slice(2), systemIo());

/** What is left open (a socket that an abandoned request keeps) does not hold the process. */
setTimeout(() => process.exit(), 2000).unref();
