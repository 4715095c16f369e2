/** The checks of `doctor` that follow from the config: the file itself, auth, TLS and the port. */
import { createServer } from "node:net";
import { bindHost, requireAuthForBind, resolveAuth } from "../auth/settings.ts";
import type { GatewaySettings } from "../config/gateway-schema.ts";
import { resolveText, type Snapshot } from "../config/snapshot.ts";
import { codeOf, readIfThere } from "../disk/files.ts";
import { readGatewayFile } from "../process/gateway-file.ts";
import { sectionProblems } from "../validate.ts";
import type { Cli } from "./cli.ts";
import { storedToken } from "./credentials.ts";
import { bad, type Finding, good } from "./doctor-finding.ts";
import { failureOf } from "./failure.ts";
import { openLocal } from "./local.ts";
import { localTime } from "./text.ts";

const maxConfigBytes = 4 * 1024 * 1024;

export async function checkConfig(cli: Cli): Promise<Finding[]> {
  const { configPath } = cli.places;
  const fix = `Correct it in ${configPath}, or: chela config rollback`;
  const read = await readConfig(cli).catch((error: unknown) => unreadable(configPath, error, fix));
  if ("check" in read) return [read];
  const { snapshot, missing } = read;
  const errors = snapshot.problems.filter(({ level }) => level === "error");
  if (errors.length > 0) return errors.map(({ path, message }) => bad("config", `${path} ${message}`, fix));
  const warnings = snapshot.problems.length;
  const what = missing
    ? "does not exist; defaults apply"
    : `is valid${warnings ? `, with ${warnings} warning(s): chela config check` : ""}`;
  return [good("config", `${configPath} ${what}`)];
}

function unreadable(configPath: string, error: unknown, fix: string): Finding {
  const code = codeOf(error);
  if (code === undefined || !/^E[A-Z]+$/.test(code)) return bad("config", failureOf(error).message, fix);
  return bad("config", `${configPath} cannot be read (${code})`, "Make it a file that this user may read.");
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

/** undefined: the config check says why. */
async function gatewaySettings(cli: Cli): Promise<GatewaySettings | undefined> {
  const read = await readConfig(cli).catch(() => undefined);
  return read?.snapshot.values.get("gateway") as GatewaySettings | undefined;
}

function unknown(check: string): Finding[] {
  return [bad(check, "cannot be judged before the config is right", "Correct the config first.")];
}

export async function checkAuth(cli: Cli): Promise<Finding[]> {
  const settings = await gatewaySettings(cli);
  if (!settings) return unknown("auth");
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

/** Nothing to say while no TLS is configured. */
export async function checkTls(cli: Cli): Promise<Finding[]> {
  const settings = await gatewaySettings(cli);
  if (!settings) return [];
  const { readTls, tlsFiles } = await import("../net/tls.ts");
  try {
    const files = tlsFiles(settings.tls);
    if (!files) return [];
    const { X509Certificate } = await import("node:crypto");
    const until = Date.parse(new X509Certificate((await readTls(files)).leaf).validTo);
    if (until > Date.now()) return [good("tls", `the certificate is good until ${localTime(until)}`)];
    const fix = "Renew it, then: chela call gateway.restart '{\"full\":false}'";
    return [bad("tls", `the certificate ended at ${localTime(until)}`, fix)];
  } catch (error) {
    return [
      bad("tls", failureOf(error).message, "Correct gateway.tls, or take it out: chela config unset gateway.tls"),
    ];
  }
}

export async function checkPort(cli: Cli): Promise<Finding[]> {
  const running = await readGatewayFile(cli.places.stateDir);
  if (running?.port) return [good("port", `${running.port} is held by our gateway (pid ${running.pid})`)];
  const settings = await gatewaySettings(cli);
  if (!settings) return unknown("port");
  const host = bindHost(settings, resolveAuth(settings, "any"));
  const code = await tryToListen(host, settings.port);
  if (code === "") return [good("port", `${settings.port} on ${host} is free`)];
  const why = code === "EADDRINUSE" ? "is held by another program" : `cannot be used (${code})`;
  const other = "hoose another port: chela config set gateway.port 18791";
  const fix = code === "EADDRINUSE" ? `Stop that program, or c${other}` : `C${other}`;
  return [bad("port", `${settings.port} on ${host} ${why}`, fix)];
}

function tryToListen(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve("")));
  });
}
