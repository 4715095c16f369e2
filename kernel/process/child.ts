/** What every child process has in common: an environment by allowlist, and an end that takes its whole process group along. */
import type { ChildProcess } from "node:child_process";
import type { Child } from "@chela/sdk";

/** What a child may know of our environment. Nothing that names code to load, no secret of ours. */
const passedOn = [
  "PATH",
  "HOME",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
  "TMPDIR",
  "TEMP",
  "TMP",
  "SystemRoot",
  "SystemDrive",
  "windir",
  "ComSpec",
  "PATHEXT",
  "LANG",
  "LC_ALL",
  "TZ",
] as const;

/** What a child that talks to the network needs besides. */
export const networkVariables = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
] as const;

export const grouped = process.platform !== "win32";
/** A grandchild that left the group may hold the pipes; it does not hold us. */
const pipeGraceMs = 1000;

/** The environment of a child: the allowlist and the names in `also`, from `source`. */
export function childEnv(also: readonly string[] = [], source: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const name of [...passedOn, ...also]) {
    if (source[name] !== undefined) env[name] = source[name];
  }
  return env;
}

/** The whole group, where the system has groups. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    if (grouped) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // Already gone.
  }
}

/** Resolves once the child and its group are gone and its pipes are closed, or nobody of the group holds them any more. */
export function exitOf(child: ChildProcess): Child["exit"] {
  return new Promise((resolve) => {
    let grace: NodeJS.Timeout | undefined;
    child.once("exit", (code, signal) => {
      killGroup(child);
      grace = setTimeout(() => {
        for (const stream of child.stdio) stream?.destroy();
        resolve({ code, signal });
      }, pipeGraceMs);
    });
    child.once("close", (code, signal) => {
      clearTimeout(grace);
      resolve({ code, signal });
    });
  });
}
