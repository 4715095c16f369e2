/**
 * Installs the package of an MCP server with uv, bun or npm. Package names follow one strict grammar, so that none can be an
 * option, a path or an address; the installer gets them after `--` where it knows that. Nothing lands outside of a folder of
 * the gateway's own, npm and bun run no scripts of the package. Texts and answers are ClawGo's.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "@chela/sdk";
import { plainText } from "../client/plain.ts";
import type { Ctx } from "../needs.ts";
import { binFolder, type Installer, prefixOf } from "./prefix.ts";
import { runWatched, type Told } from "./watch.ts";

const limitMs = 600_000;
const systemFolders = ["/usr/local/bin", "/opt/homebrew/bin"];

/** npm: `name`, `@scope/name`, each with `@version`; letters, digits, `-`, `_`, `.` and no dash or dot in front. */
const npmName =
  /^(?:@[a-z0-9][a-z0-9._-]{0,99}\/)?[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}(?:@[a-zA-Z0-9][a-zA-Z0-9.+_-]{0,63})?$/;
/** PyPI: `name`, extras, and `==version` or `@version`. */
const pypiName =
  /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}(?:\[[a-zA-Z0-9][a-zA-Z0-9._,-]{0,99}\])?(?:(?:==|@)[a-zA-Z0-9][a-zA-Z0-9.+!_-]{0,63})?$/;

export interface Installed {
  readonly ok: true;
  readonly package: string;
  readonly output: string;
  readonly bin_name: string;
  readonly bin_path: string;
}

interface Order {
  readonly package: string;
  readonly installer?: string | undefined;
}

export async function install(
  ctx: Ctx,
  order: Order,
  { signal, by }: { signal: AbortSignal; by: string },
): Promise<Installed> {
  const name = order.package.trim();
  if (name === "") throw new GatewayError("INVALID", 400, "package required");
  const installer = installerOf(order.installer);
  assertPackageName(installer, name);
  const program = await ctx.use.children.which(installer);
  if (!program) throw failed(`${installer} is not installed; install ${installer} first to auto-install ${name}`);
  ctx.log.info({ package: name, installer, by }, "installing an MCP server");
  ctx.emit("mcp_install", { package: name, installer, state: "started" });
  try {
    const installed = await run(ctx, { name, installer, program, signal });
    ctx.emit("mcp_install", { package: name, installer, state: "done", bin: installed.bin_path });
    return installed;
  } catch (error) {
    ctx.emit("mcp_install", { package: name, installer, state: "failed" });
    throw error;
  }
}

/** uv when nothing is said. */
function installerOf(word: string | undefined): Installer {
  const installer = (word ?? "").trim().toLowerCase() || "uv";
  if (installer === "uv" || installer === "bun" || installer === "npm") return installer;
  throw failed(`unsupported installer: ${plainText(installer).slice(0, 40)}`);
}

/** Throws for everything that is not plainly the name of one package in a registry. */
export function assertPackageName(installer: Installer, name: string): void {
  const grammar = installer === "uv" ? pypiName : npmName;
  if (grammar.test(name) && !name.includes("..")) return;
  const shown = JSON.stringify(plainText(name).slice(0, 80));
  throw new GatewayError(
    "INVALID",
    400,
    `${shown} is no package name; write NAME or NAME@VERSION as it stands in the registry, no path, address or option`,
  );
}

interface Job {
  readonly name: string;
  readonly installer: Installer;
  readonly program: string;
  readonly signal: AbortSignal;
}

async function run(ctx: Ctx, { name, installer, program, signal }: Job): Promise<Installed> {
  const { stateDir } = ctx.use.gateway.status();
  const prefix = prefixOf(stateDir, installer);
  await mkdir(prefix, { recursive: true, mode: 0o700 });
  const { args, env } = orderOf(installer, name, prefix);
  const tell = (line: string) => ctx.emit("mcp_install", { package: name, installer, state: "running", line });
  const spec = { command: program, args, cwd: prefix, env };
  const outcome = await runWatched(ctx.use.children, spec, { timeoutMs: limitMs, signal, tell });
  if (outcome.code !== 0) throw failed([outcome.output, endOf(outcome)].filter(Boolean).join("\n"));
  const bin = await programOf(ctx, prefix, installer, name);
  const path = await findProgram(ctx, bin, [binFolder(stateDir, installer)]);
  if (!path) throw failed(`installed ${name} but binary ${JSON.stringify(bin)} not found in PATH`);
  const output = [outcome.output, `installed ${name} via ${installer}`, `resolved binary: ${path}`]
    .filter(Boolean)
    .join("\n");
  return { ok: true, package: name, output, bin_name: bin, bin_path: path };
}

function orderOf(
  installer: Installer,
  name: string,
  prefix: string,
): { args: readonly string[]; env: Record<string, string> } {
  const bin = join(prefix, "bin");
  if (installer === "uv")
    return { args: ["tool", "install", "--", name], env: { UV_TOOL_DIR: join(prefix, "tools"), UV_TOOL_BIN_DIR: bin } };
  if (installer === "bun") {
    const env = { BUN_INSTALL_GLOBAL_DIR: join(prefix, "global"), BUN_INSTALL_BIN: bin };
    return { args: ["add", "--global", "--ignore-scripts", name], env };
  }
  return { args: ["install", "--prefix", prefix, "--ignore-scripts", "--no-audit", "--no-fund", "--", name], env: {} };
}

function endOf({ ended, code }: Told): string {
  if (ended === "timeout") return `the installer did not finish within ${limitMs / 60_000} minutes`;
  return ended === "aborted" ? "the installation was aborted" : `exit status ${code}`;
}

/** ClawGo's guess: the package without scope, and without the version. */
export function commandName(name: string): string {
  const plain = name.replace(/^@/, "").split("/").at(-1) ?? "";
  return plain.replace(/(?:==|@|\[).*$/, "");
}

/** What the package itself calls its program, where it says so. */
async function programOf(ctx: Ctx, prefix: string, installer: Installer, name: string): Promise<string> {
  const guess = commandName(name);
  if (installer === "uv") return guess;
  const folder = name.replace(/(?!^)@.*$/, "");
  const file = `${installer === "bun" ? "global/" : ""}node_modules/${folder}/package.json`;
  const text = await ctx.use.files.read(prefix, file, 1024 * 1024).catch(() => undefined);
  const { bin } = (text ? JSON.parse(text.toString("utf8")) : {}) as { bin?: unknown };
  const names =
    typeof bin === "object" && bin !== null ? Object.keys(bin).filter((each) => /^[\w.-]+$/.test(each)) : [];
  return names.includes(guess) ? guess : (names[0] ?? guess);
}

async function findProgram(ctx: Ctx, name: string, own: readonly string[]): Promise<string | undefined> {
  const { which } = ctx.use.children;
  for (const folder of own) {
    const found = await which(join(folder, name));
    if (found) return found;
  }
  const inPath = await which(name);
  if (inPath) return inPath;
  for (const folder of systemFolders) {
    const found = await which(join(folder, name));
    if (found) return found;
  }
  return undefined;
}

function failed(message: string): GatewayError {
  return new GatewayError("MCP_INSTALL", 500, message);
}
