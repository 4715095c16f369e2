/** The checks of `doctor`, in the order they are shown. Each looks at one thing and says what to do when it is wrong. */
import { readdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hostVersion } from "../version.ts";
import { compare } from "../versions.ts";
import type { Cli } from "./cli.ts";
import { findGateway } from "./client.ts";
import { checkAuth, checkConfig, checkPort, checkTls } from "./doctor-config.ts";
import { bad, type Check, type Finding, good } from "./doctor-finding.ts";
import { checkHealth, checkModels } from "./doctor-running.ts";
import { failureOf } from "./failure.ts";
import { pluginDoor } from "./plugin-door.ts";
import { bytes, duration, localTime } from "./text.ts";

const oldestNode = "20.19.0";
const leastFreeBytes = 200_000_000;
/** A machine that lost its clock starts at the beginning of some epoch: 1970, 1980, 2000. */
const notBefore = Date.UTC(2020, 0, 1);
const skewMs = 120_000;

export const checks: readonly Check[] = [
  { name: "node", run: checkNode },
  { name: "state dir", run: checkStateDir },
  { name: "config", run: checkConfig },
  { name: "auth", run: checkAuth },
  { name: "tls", run: checkTls },
  { name: "gateway", run: checkGateway },
  { name: "port", run: checkPort },
  { name: "plugins", run: checkPlugins },
  { name: "health", run: checkHealth },
  { name: "models", run: checkModels },
  { name: "disk", run: checkDisk },
  { name: "clock", run: checkClock },
];

async function checkNode(): Promise<Finding[]> {
  const node = process.versions.node.replace(/-.*$/, "");
  if (compare(node, oldestNode) >= 0) return [good("node", `Node ${node}, Chela ${hostVersion}`)];
  return [bad("node", `Node ${node} is too old`, `Chela needs Node ${oldestNode} or newer.`)];
}

async function checkStateDir(cli: Cli): Promise<Finding[]> {
  const { stateDir } = cli.places;
  const facts = await stat(stateDir).catch(() => null);
  if (!facts) return await creatable(stateDir);
  const { ensureStateDir } = await import("../config/locate.ts");
  await ensureStateDir(stateDir);
  const open = process.platform === "win32" ? [] : await openToOthers(stateDir, facts.mode);
  if (open.length === 0) return [good("state dir", `${stateDir} is writable, and for its owner alone`)];
  const fix = `chmod go-rwx ${open.map((path) => `'${path.replaceAll("'", "'\\''")}'`).join(" ")}`;
  return [bad("state dir", `open to other users: ${open.join(", ")}`, fix)];
}

async function creatable(stateDir: string): Promise<Finding[]> {
  const { access, constants } = await import("node:fs/promises");
  let parent = dirname(stateDir);
  while (parent !== dirname(parent) && !(await stat(parent).catch(() => null))) parent = dirname(parent);
  const writable = await access(parent, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (writable) return [good("state dir", `${stateDir} does not exist yet; the first start makes it`)];
  return [
    bad("state dir", `${stateDir} cannot be made below ${parent}`, "Make that writable, or set CHELA_STATE_DIR."),
  ];
}

/** Secrets and data are the owner's alone. */
async function openToOthers(stateDir: string, mode: number): Promise<string[]> {
  const open = (mode & 0o077) !== 0 ? [stateDir] : [];
  const secret =
    /^(?:config\.json|token|gateway\.json|boot\.json|chela\.db.*|config-journal\.jsonl|auth|backups|data|logs)$/;
  for (const name of await readdir(stateDir)) {
    const path = join(stateDir, name);
    const facts = secret.test(name) ? await stat(path).catch(() => null) : null;
    if (facts && (facts.mode & 0o077) !== 0) open.push(path);
  }
  return open;
}

async function checkGateway(cli: Cli): Promise<Finding[]> {
  const gateway = await findGateway(cli);
  if (!gateway) return [good("gateway", "not running")];
  const started = performance.now();
  const sent = Date.now();
  try {
    const status = (await gateway.call("gateway.status", {}, { timeoutMs: 10_000 })) as Record<string, unknown>;
    const ms = duration(performance.now() - started);
    if (status.safeMode)
      return [bad("gateway", String(status.safeModeReason), "Remove the cause, then restart the gateway.")];
    const startedAt = Number(status.startedAt);
    const clock =
      startedAt > sent + skewMs
        ? [bad("clock", "the gateway's clock is ahead of this one", "Set both clocks by NTP.")]
        : [];
    return [good("gateway", `${gateway.url} answers in ${ms}`), ...clock];
  } catch (error) {
    return [bad("gateway", failureOf(error).message, "See its log, or start it again: chela gateway run --force")];
  }
}

async function checkPlugins(cli: Cli): Promise<Finding[]> {
  const door = await pluginDoor(cli);
  const found = (await door.findings()).filter(({ level }) => level === "error");
  if (found.length > 0)
    return found.map(({ plugin, message, fix }) => bad("plugins", `${plugin} ${message}`.trim(), fix));
  const rows = await door.list();
  const on = rows.filter((row) => row.state !== "disabled").length;
  return [good("plugins", `${rows.length} known, ${on} switched on`)];
}

async function checkDisk(cli: Cli): Promise<Finding[]> {
  let folder = cli.places.stateDir;
  while (folder !== dirname(folder) && !(await stat(folder).catch(() => null))) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= leastFreeBytes) return [good("disk", `${bytes(free)} free`)];
  return [bad("disk", `only ${bytes(free)} free at ${folder}`, "Make room: history and config writes need it.")];
}

async function checkClock(cli: Cli): Promise<Finding[]> {
  const now = Date.now();
  const fix = "Set the clock, best by NTP.";
  if (now < notBefore) return [bad("clock", `${localTime(now)} is in the past`, fix)];
  const own = ["config.json", "gateway.json", "data/store/chela.db"].map((name) => join(cli.places.stateDir, name));
  for (const path of [...own, fileURLToPath(import.meta.url)]) {
    const facts = await stat(path).catch(() => null);
    if (facts && facts.mtimeMs > now + skewMs)
      return [bad("clock", `${path} was written in the future, at ${localTime(facts.mtimeMs)}`, fix)];
  }
  return [good("clock", localTime(now))];
}
