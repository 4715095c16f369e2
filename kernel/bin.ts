#!/usr/bin/env node
/** The `chela` binary: hands the process to the command line and ends with its exit code. */
import { systemIo } from "./cli/io.ts";
import { quickRun } from "./cli/quick.ts";

/** A reader that has seen enough (`chela logs | head`) is no fault; a full disk behind `>` is one, of nobody here. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    if (stream === process.stdout) process.stderr.write(`The output cannot be written: ${error.message}\n`);
    process.exit(1);
  });
}

/** Node 22 calls the SQLite that it has built in experimental; no operator can act on that. Every other warning passes. */
const { emitWarning } = process;
process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
  if (/^SQLite is an experimental feature\b/.test(String(warning)) && rest[0] === "ExperimentalWarning") return;
  Reflect.apply(emitWarning, process, [warning, ...rest]);
};

const [argv, io] = [process.argv.slice(2), systemIo()];
process.exitCode = (await quickRun(argv, io)) ?? (await (await import("./cli/main.ts")).main(argv, io));

/** What is left open (a socket that an abandoned request keeps) does not hold the process. */
setTimeout(() => process.exit(), 2000).unref();
