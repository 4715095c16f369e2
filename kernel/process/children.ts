/**
 * Children of plugins: argv arrays, an environment by allowlist, a process group of their own. A child that ended, or was
 * told to, takes its group along.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { type Child, type ChildLimits, type ChildOutcome, type ChildSpec, GatewayError } from "@chela/sdk";
import { childEnv, exitOf, grouped, killGroup, networkVariables } from "./child.ts";
import type { Orphans } from "./orphans.ts";

/** Names that choose what code a child loads, or whom it obeys. */
const refusedNames =
  /^(?:NODE_OPTIONS|NODE_PATH|NODE_REPL_EXTERNAL_MODULE|LD_.*|DYLD_.*|GIT_.*|BASH_ENV|ENV|PROMPT_COMMAND|SHELLOPTS|BASHOPTS|IFS|PYTHONSTARTUP|PYTHONPATH|PYTHONHOME|PERL5LIB|PERL5OPT|RUBYOPT|RUBYLIB|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|CLASSPATH|CHELA_.*)$/i;
const graceMs = 2000;

export async function startChild(spec: ChildSpec, orphans: Orphans): Promise<Child> {
  orphans.prepare();
  const child = spawnChild(spec);
  child.on("error", () => undefined);
  orphans.watch(child);
  const exit = exitOf(child);
  await spawned(child, spec.command);
  return {
    pid: child.pid as number,
    stdin: child.stdin as Writable,
    stdout: child.stdout as Readable,
    stderr: child.stderr as Readable,
    exit,
    stop: (ms = graceMs) => stop(child, exit, ms),
  };
}

export async function runLimited(spec: ChildSpec, limits: ChildLimits, orphans: Orphans): Promise<ChildOutcome> {
  const from = performance.now();
  // A program that is quick would be done before it could be ended.
  if (limits.signal?.aborted) return { code: null, stdout: "", stderr: "", dropped: 0, ended: "aborted", ms: 0 };
  const child = await startChild(spec, orphans);
  const [stdout, stderr] = [collect(child.stdout, limits.maxBytes), collect(child.stderr, limits.maxBytes)];
  let why: ChildOutcome["ended"] = "";
  const end = (reason: "timeout" | "aborted") => {
    why ||= reason;
    void child.stop(200);
  };
  const timer = setTimeout(() => end("timeout"), limits.timeoutMs);
  const onAbort = () => end("aborted");
  limits.signal?.addEventListener("abort", onAbort, { once: true });
  if (limits.signal?.aborted) onAbort();
  child.stdin.on("error", () => undefined);
  child.stdin.end(limits.input ?? "");
  try {
    const { code } = await child.exit;
    const dropped = stdout.dropped() + stderr.dropped();
    return { code, stdout: stdout.text(), stderr: stderr.text(), dropped, ended: why, ms: performance.now() - from };
  } finally {
    clearTimeout(timer);
    limits.signal?.removeEventListener("abort", onAbort);
  }
}

/** Absolute path of a program that may be run. */
export function whichProgram(command: string): string | undefined {
  if (command === "" || command.includes("\0")) return undefined;
  if (isAbsolute(command) || /[\\/]/.test(command)) return runnable(resolve(command)) ? resolve(command) : undefined;
  const endings = process.platform === "win32" ? ["", ...(process.env.PATHEXT ?? ".EXE;.CMD").split(";")] : [""];
  return (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .flatMap((folder) => endings.map((ending) => join(folder, command + ending)))
    .find(runnable);
}

function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function spawnChild({ command, args = [], cwd, env = {} }: ChildSpec): ChildProcess {
  const refused = Object.keys(env).find((name) => refusedNames.test(name) || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  if (refused !== undefined) {
    const message = `the environment variable ${JSON.stringify(refused.slice(0, 100))} may not be set for a child process`;
    throw new GatewayError("CHILD_ENV", 400, message);
  }
  if ([command, ...args, ...Object.values(env)].some((text) => text.includes("\0")))
    throw new GatewayError("CHILD_ENV", 400, "a child's command, arguments and environment may not contain NUL");
  return spawn(command, [...args], {
    cwd,
    env: { ...childEnv(networkVariables), ...env },
    stdio: ["pipe", "pipe", "pipe"],
    shell: false,
    windowsHide: true,
    detached: grouped,
  });
}

function spawned(child: ChildProcess, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error: NodeJS.ErrnoException) => {
      const missing = error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "EACCES";
      const what = `${JSON.stringify(command.slice(0, 200))} cannot be run (${error.code ?? error.message})`;
      const options = { cause: error };
      reject(
        missing
          ? new GatewayError("CHILD_NOT_FOUND", 404, `${what}; is it installed and in PATH?`, undefined, options)
          : new GatewayError("CHILD_FAILED", 500, what, undefined, options),
      );
    });
  });
}

async function stop(child: ChildProcess, exit: Child["exit"], ms: number): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) killGroup(child, "SIGTERM");
  const timer = setTimeout(() => killGroup(child), ms);
  await exit;
  clearTimeout(timer);
}

/** The first and the last half of what it says; what lies between is counted. */
function collect(stream: Readable, maxBytes: number): { text(): string; dropped(): number } {
  const half = Math.max(1, Math.floor(maxBytes / 2));
  const head: Buffer[] = [];
  let headBytes = 0;
  let tail: Buffer[] = [];
  let tailBytes = 0;
  let all = 0;
  stream.on("error", () => undefined);
  stream.on("data", (part: Buffer) => {
    all += part.length;
    const first = part.subarray(0, half - headBytes);
    if (first.length > 0) head.push(first);
    headBytes += first.length;
    const rest = part.subarray(first.length);
    if (rest.length === 0) return;
    tail.push(rest);
    tailBytes += rest.length;
    // Joined now and then only: each byte is copied a few times at most.
    if (tailBytes <= half * 2 && tail.length < 256) return;
    tail = [Buffer.concat(tail).subarray(-half)];
    tailBytes = tail[0]?.length ?? 0;
  });
  const end = () => Buffer.concat(tail).subarray(-half);
  const dropped = () => all - headBytes - end().length;
  const text = () => {
    const middle = dropped() > 0 ? `\n[${dropped()} bytes left out]\n` : "";
    return Buffer.concat(head).toString("utf8") + middle + end().toString("utf8");
  };
  return { text, dropped };
}
