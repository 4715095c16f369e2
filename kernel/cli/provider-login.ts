/**
 * `provider login|accounts`: a browser or a device code, watched from the terminal. The gateway holds the login; the address
 * that the browser ended up at may be pasted here when the browser runs on another machine.
 */
import { readFile, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { GatewayError } from "@chela/sdk";
import type { Cli, Handler } from "./cli.ts";
import { type Gateway, needGateway } from "./client.ts";
import { configDoor } from "./config-door.ts";
import { styled } from "./output.ts";
import { canAsk, openPrompt, type Prompt } from "./prompt.ts";
import { localTime, plainLine } from "./text.ts";
import { textOption } from "./values.ts";

interface Started {
  readonly flow_id: string;
  readonly mode: string;
  readonly auth_url: string;
  readonly user_code: string;
  readonly instructions: string;
  readonly listening?: boolean;
}

interface Done {
  readonly account: string;
  readonly credential_file: string;
  readonly models: readonly string[] | null;
}

type Names = Readonly<Record<string, string>>;

const pollMs = 60_000;
const patienceMs = 15 * 60_000;
const maxImportBytes = 1024 * 1024;

export const login: Handler = async (cli, [provider = ""], options) => {
  const gateway = await needGateway(cli, "provider login");
  const [label, proxy] = [textOption(options.label), textOption(options.proxy)];
  const names: Names = {
    provider,
    ...(label ? { account_label: label } : {}),
    ...(proxy ? { network_proxy: proxy } : {}),
  };
  const file = textOption(options.import);
  const done = await (file === undefined
    ? interactive(cli, gateway, names)
    : imported(cli, gateway, names, file)
  ).catch(hinted(provider));
  const stored = await storeModels(cli, provider, done.models ?? []);
  await cli.out.show({ ok: true, provider, ...done, models_stored: stored }, () => {
    cli.out.line(styled("green", `Logged in to ${provider} as ${done.account}.`));
    cli.out.note(`The account is kept in ${done.credential_file}.`);
    if (stored.length > 0)
      cli.out.note(`Its ${stored.length} models are in the config now: chela provider use ${provider}/${stored[0]}`);
  });
};

export const accounts: Handler = async (cli, [provider = ""], options) => {
  const gateway = await needGateway(cli, "provider accounts");
  const [refresh, remove] = [textOption(options.refresh), textOption(options.remove)];
  if (refresh)
    await gateway.call("provider.oauth.refresh", { provider, credential_file: refresh }, { timeoutMs: 120_000 });
  if (remove) await gateway.call("provider.oauth.remove", { provider, credential_file: remove });
  const told = (await gateway.call("provider.oauth.accounts", { provider })) as { accounts: readonly Row[] };
  await cli.out.show({ ok: true, provider, ...told }, async () => {
    if (refresh) cli.out.note(`Renewed ${refresh}.`);
    if (remove) cli.out.note(`Removed ${remove}.`);
    if (told.accounts.length === 0) cli.out.note(`No account. Log in with: chela provider login ${provider}`);
    else await cli.out.table(["account", "file", "expires", "health", "state"], told.accounts.map(cells));
  });
};

interface Row {
  readonly email?: string;
  readonly account_id?: string;
  readonly account_label?: string;
  readonly credential_file?: string;
  readonly expire?: string;
  readonly health_score?: number;
  readonly disabled?: boolean;
  readonly disable_reason?: string;
  readonly cooldown_until?: string;
}

async function interactive(cli: Cli, gateway: Gateway, names: Names): Promise<Done> {
  // Caught by the gateway only where the browser and the gateway are on one machine.
  const started = (await gateway.call("provider.oauth.start", { ...names, listen: gateway.facts !== null })) as Started;
  for (const line of linesOf(started)) say(cli, line);
  const waiting = new AbortController();
  const undo = cli.io.onSignal("SIGINT", () => waiting.abort());
  try {
    const device = started.mode === "device";
    if (!device && !canAsk(cli) && started.listening !== true) throw nobodyPastes();
    const ways = [
      ...(device || started.listening === true ? [confirmed(gateway, names, started, waiting.signal)] : []),
      ...(!device && canAsk(cli) ? [pasted(cli, gateway, { names, started, signal: waiting.signal })] : []),
    ];
    return await Promise.race(ways);
  } catch (error) {
    if (!waiting.signal.aborted) throw error;
    throw new GatewayError("INTERRUPTED", 499, "Interrupted. The login was not finished; begin again when you like.");
  } finally {
    waiting.abort();
    undo();
  }
}

function linesOf({ instructions, auth_url, user_code }: Started): readonly string[] {
  return [instructions, auth_url && `Open: ${auth_url}`, user_code && `Code: ${user_code}`].filter(
    (line) => line !== "",
  );
}

/** To the person, also where the result goes to a program. */
function say(cli: Cli, line: string): void {
  if (cli.out.json) cli.io.stderr.write(`${plainLine(line)}\n`);
  else cli.out.note(line);
}

/** Asks again and again until the login is confirmed elsewhere. */
async function confirmed(gateway: Gateway, names: Names, { flow_id }: Started, signal: AbortSignal): Promise<Done> {
  const until = performance.now() + patienceMs;
  while (performance.now() < until) {
    const told = await gateway.call("provider.oauth.complete", { ...names, flow_id }, { timeoutMs: pollMs, signal });
    if ((told as { pending?: boolean }).pending !== true) return told as Done;
  }
  throw new GatewayError("OAUTH_TIMEOUT", 408, "The login was not confirmed within 15 minutes. Begin again.");
}

async function pasted(
  cli: Cli,
  gateway: Gateway,
  { names, started, signal }: { names: Names; started: Started; signal: AbortSignal },
): Promise<Done> {
  const prompt = openPrompt(cli);
  try {
    const url = await askCallback(cli, prompt, signal);
    const params = { ...names, flow_id: started.flow_id, callback_url: url };
    return (await gateway.call("provider.oauth.complete", params, { timeoutMs: 120_000, signal })) as Done;
  } finally {
    prompt.close();
  }
}

/** Until there is something in it that ends a login, so that a slip does not cost the whole of it. */
async function askCallback(cli: Cli, prompt: Prompt, signal: AbortSignal): Promise<string> {
  for (;;) {
    const url = await prompt.ask("Or paste the address that the browser ended up at", { signal });
    if (/[?&#](?:code|error)=/.test(url)) return url;
    cli.out.note("That address has no code. It is the one after the login, with ?code=... in it.");
  }
}

async function imported(cli: Cli, gateway: Gateway, names: Names, file: string): Promise<Done> {
  const path = resolve(cli.io.cwd, file);
  const facts = await stat(path).catch(() => null);
  if (!facts?.isFile()) throw new GatewayError("USAGE", 400, `There is no file ${path}.`);
  if (facts.size > maxImportBytes) throw new GatewayError("USAGE", 413, `${path} is larger than an auth file can be.`);
  const params = { ...names, name: basename(path), content: await readFile(path, "utf8") };
  return (await gateway.call("provider.oauth.import", params, { timeoutMs: 120_000 })) as Done;
}

/** What the account may use becomes the provider's models where it lists none. */
async function storeModels(cli: Cli, provider: string, models: readonly string[]): Promise<readonly string[]> {
  if (models.length === 0) return [];
  const door = await configDoor(cli);
  const path = `models.providers[${JSON.stringify(provider)}]`;
  const entry = (await door.get(path, "file")).value as { models?: readonly unknown[] } | undefined;
  if (!entry || (entry.models?.length ?? 0) > 0) return [];
  await door.set(`${path}.models`, models, {});
  return models;
}

function hinted(provider: string): (error: unknown) => never {
  return (error) => {
    if (!GatewayError.is(error) || !/ not found$/.test(error.message)) throw error;
    const hint = `Add it first: chela provider configure ${provider} --auth oauth`;
    throw new GatewayError(error.code, error.status, `${error.message}. ${hint}`);
  };
}

function nobodyPastes(): GatewayError {
  return new GatewayError(
    "USAGE",
    400,
    "This login ends in a browser, and there is no terminal to paste its address on. Run the command in a terminal, or use --import.",
  );
}

function cells(row: Row): string[] {
  const name = row.account_label || row.email || row.account_id || "";
  const state = row.disabled
    ? `disabled: ${row.disable_reason ?? ""}`
    : row.cooldown_until
      ? `rests until ${localTime(Date.parse(row.cooldown_until))}`
      : "ready";
  const expires = row.expire ? localTime(Date.parse(row.expire)) || row.expire : "";
  return [name, basename(row.credential_file ?? ""), expires, String(row.health_score ?? ""), state];
}
