/** What every child process has in common: an environment by allowlist, and an end that takes its whole process group along. */
import type { ChildProcess } from "node:child_process";

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
