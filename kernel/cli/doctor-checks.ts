/** The checks of `doctor`, in the order they are shown. Each looks at one thing and says what to do when it is wrong. */
import { readdir, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { bindHost, requireAuthForBind, resolveAuth } from "../auth/settings.ts";
import type { GatewaySettings } from "../config/gateway-schema.ts";
import { resolveText, type Snapshot } from "../config/snapshot.ts";
import { readIfThere } from "../files.ts";
import { readGatewayFile } from "../gateway-file.ts";
import { sectionProblems } from "../validate.ts";
import { hostVersion } from "../version.ts";
import { compare } from "../versions.ts";
import type { Cli } from "./cli.ts";
import { findGateway } from "./client.ts";
import { storedToken } from "./credentials.ts";
import { failureOf } from "./failure.ts";
import { openLocal } from "./local.ts";
import { pluginDoor } from "./plugin-door.ts";
import { bytes, duration, localTime } from "./text.ts";

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly message: string;
  /** What to do; empty when all is well. */
  readonly fix: string;
}

export interface Check {
  readonly name: string;
  run(cli: Cli): Promise<readonly Finding[]>;
}

const oldestNode = "20.19.0";
const leastFreeBytes = 200_000_000;
const maxConfigBytes = 4 * 1024 * 1024;
/** This program was made after it. */
const notBefore = Date.UTC(2026, 10, 1);
const skewMs = 120_000;

function good(check: string, message: string): Finding {
  return { check, ok: true, message, fix: "" };
}

function bad(check: string, message: string, fix: string): Finding {
  return { check, ok: false, message, fix };
}

export const checks: readonly Check[] = [
  { name: "node", run: checkNode },
  { name: "state dir", run: checkStateDir },
  { name: "config", run: checkConfig },
  { name: "auth", run: checkAuth },
  { name: "gateway", run: checkGateway },
  { name: "port", run: checkPort },
  { name: "plugins", run: checkPlugins },
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

async function checkConfig(cli: Cli): Promise<Finding[]> {
  const { configPath } = cli.places;
  const { snapshot, missing } = await readConfig(cli);
  const errors = snapshot.problems.filter(({ level }) => level === "error");
  if (errors.length > 0) {
    return errors.map(({ path, message }) =>
      bad("config", `${path} ${message}`, `Correct it in ${configPath}, or: chela config rollback`),
    );
  }
  const warnings = snapshot.problems.length;
  const what = missing
    ? "does not exist; defaults apply"
    : `is valid${warnings ? `, with ${warnings} warning(s): chela config check` : ""}`;
  return [good("config", `${configPath} ${what}`)];
}

async function readConfig(cli: Cli): Promise<{ snapshot: Snapshot; missing: boolean }> {
  const { configPath } = cli.places;
  const { sections } = await openLocal(cli);
  const text = (await readIfThere(configPath, maxConfigBytes)) ?? null;
  const validate = (_owner: string, schema: unknown, value: unknown) => sectionProblems(schema, value);
  return {
    snapshot: await resolveText(text, configPath, { sections, env: cli.io.env, validate }),
    missing: text === null,
  };
}

async function gatewaySettings(cli: Cli): Promise<GatewaySettings> {
  const settings = (await readConfig(cli)).snapshot.values.get("gateway");
  if (settings === undefined) throw new Error("the gateway section is not valid; see the config check");
  return settings as GatewaySettings;
}

async function checkAuth(cli: Cli): Promise<Finding[]> {
  const settings = await gatewaySettings(cli);
  const token = (await storedToken(cli.places.stateDir)) ?? "made-at-the-first-start";
  const auth = resolveAuth(settings, token);
  const host = bindHost(settings, auth);
  const problems: Finding[] = [];
  try {
    requireAuthForBind(auth, host);
  } catch (error) {
    problems.push(bad("auth", failureOf(error).message, "Set gateway.auth.token, or bind to loopback."));
  }
  if (auth.problem && problems.length === 0) problems.push(bad("auth", auth.problem, "Correct gateway.auth."));
  if (auth.weak)
    problems.push(bad("auth", auth.weak, `chela config set gateway.auth.${auth.mode} "$(openssl rand -hex 24)"`));
  for (const warning of auth.warnings) problems.push(bad("auth", warning, "Correct gateway.trustedProxies."));
  return problems.length > 0 ? problems : [good("auth", `mode ${auth.mode}, listening on ${host}`)];
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

async function checkPort(cli: Cli): Promise<Finding[]> {
  const running = await readGatewayFile(cli.places.stateDir);
  if (running?.port) return [good("port", `${running.port} is held by our gateway (pid ${running.pid})`)];
  const settings = await gatewaySettings(cli);
  const host = bindHost(settings, resolveAuth(settings, "any"));
  const code = await tryToListen(host, settings.port);
  if (code === "") return [good("port", `${settings.port} on ${host} is free`)];
  const why = code === "EADDRINUSE" ? "is held by another program" : `cannot be used (${code})`;
  return [
    bad(
      "port",
      `${settings.port} on ${host} ${why}`,
      "Stop that program, or choose another: chela config set gateway.port 18791",
    ),
  ];
}

function tryToListen(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve("")));
  });
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
  for (const name of ["config.json", "gateway.json", "data/store/chela.db"]) {
    const facts = await stat(join(cli.places.stateDir, name)).catch(() => null);
    if (facts && facts.mtimeMs > now + skewMs)
      return [bad("clock", `${name} was written in the future, at ${localTime(facts.mtimeMs)}`, fix)];
  }
  return [good("clock", localTime(now))];
}
