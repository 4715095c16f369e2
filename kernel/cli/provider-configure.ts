/** `provider configure NAME`: a provider into the config, from flags or from answers. What it holds already and nobody names stays. */
import { GatewayError, redactedMark } from "@chela/sdk";
import type { Cli, Handler, Options } from "./cli.ts";
import { findAnswering } from "./client.ts";
import { type ConfigDoor, configDoor } from "./config-door.ts";
import { styled } from "./output.ts";
import { canAsk, openPrompt, type Prompt, secretFromInput } from "./prompt.ts";
import { assertReachable, isReachable } from "./provider-vendors.ts";
import { integerOption, textOption } from "./values.ts";

interface Entry {
  readonly api_base?: string;
  readonly api_key?: string;
  readonly models?: readonly unknown[];
  readonly oauth?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

const flags = ["preset", "apiBase", "apiKey", "models", "auth", "strategy", "oauthProvider", "timeout"];

export const configure: Handler = async (cli, [name = ""], options) => {
  const door = await configDoor(cli);
  const path = `models.providers[${JSON.stringify(name)}]`;
  const found = await door.get(path, "file");
  const before = (found.value ?? {}) as Entry;
  const given = flags.some((flag) => options[flag] !== undefined);
  if (!given && !canAsk(cli)) throw nothingGiven(name);
  const change = given
    ? await fromFlags(cli, name, options)
    : await fromAnswers(cli, name, { before, known: await knownVendor(door, path, name) });
  const oauth = change.oauth ? { ...before.oauth, ...change.oauth } : before.oauth;
  const entry: Entry = { ...before, ...change, ...(oauth ? { oauth } : {}) };
  await assertReachable(door, name, entry);
  const result = await door.set(path, entry, {});
  await told(cli, door, { name, added: !found.found, entry, result });
};

async function fromFlags(cli: Cli, name: string, options: Options): Promise<Entry> {
  const timeout = integerOption(options.timeout, "--timeout", { min: 1, max: 86_400 });
  const auth = textOption(options.auth);
  const key = textOption(options.apiKey);
  const vendor = textOption(options.oauthProvider) ?? (auth === "oauth" || auth === "hybrid" ? name : undefined);
  return {
    ...entryOf({
      preset: textOption(options.preset),
      api_base: textOption(options.apiBase),
      api_key: key === "-" ? await secretFromInput(cli, "--api-key -") : key,
      auth,
      strategy: textOption(options.strategy),
      timeout_sec: timeout,
    }),
    ...(typeof options.models === "string" ? { models: listOf(options.models) } : {}),
    ...(vendor === undefined ? {} : { oauth: { provider: vendor } }),
  };
}

async function fromAnswers(
  cli: Cli,
  name: string,
  { before, known }: { before: Entry; known: boolean },
): Promise<Entry> {
  const prompt = openPrompt(cli);
  try {
    cli.out.note(`Provider ${name}. Enter keeps what stands in brackets.`);
    const base = await askBase(prompt, before.api_base, known);
    const had = before.api_key !== undefined;
    const key = await prompt.ask(had ? "API key (empty: keep the one there is)" : "API key (empty: none)", {
      secret: true,
    });
    const models = (before.models ?? []).flatMap((model) => (typeof model === "string" ? [model] : []));
    const answer = await prompt.ask("Models, separated by commas", { otherwise: models.join(",") });
    return {
      ...entryOf({ api_base: base || undefined, api_key: key || (had ? redactedMark : undefined) }),
      ...(answer === models.join(",") ? {} : { models: listOf(answer) }),
    };
  } finally {
    prompt.close();
  }
}

async function told(
  cli: Cli,
  door: ConfigDoor,
  { name, added, entry, result }: { name: string; added: boolean; entry: Entry; result: object },
): Promise<void> {
  await cli.out.show({ ok: true, provider: name, added, applies: door.applies, ...result }, () => {
    cli.out.line(styled("green", added ? `Added ${name}.` : `Changed ${name}.`));
    if (door.applies === "later") cli.out.note("No gateway is running: it applies at the next start.");
    const [first] = entry.models ?? [];
    if (entry.auth === "oauth" || entry.auth === "hybrid") cli.out.note(`Log in with: chela provider login ${name}`);
    else if (typeof first === "string" && first !== "*") cli.out.note(`Try it: chela models test ${name}/${first}`);
    else cli.out.note(`See what it has: chela models list --upstream ${name}`);
  });
  if (!cli.out.json && door.applies === "now") await tellDefault(cli, name, entry);
}

/** Whoever adds a provider may expect that it answers from now on. */
async function tellDefault(cli: Cli, name: string, { models = [] }: Entry): Promise<void> {
  const gateway = await findAnswering(cli);
  const told =
    gateway && ((await gateway.call("providers.models", {}).catch(() => null)) as { primary: string } | null);
  if (!told || told.primary.startsWith(`${name}/`)) return;
  const model = typeof models[0] === "string" && models[0] !== "*" ? models[0] : "MODEL";
  cli.out.note(`By default ${told.primary} answers. Change it with: chela provider use ${name}/${model}`);
}

/** Asked until there is one where nobody knows the vendor's. */
async function askBase(prompt: Prompt, before: string | undefined, known: boolean): Promise<string> {
  if (known || before) return await prompt.ask("Base URL (empty: the vendor's own)", { otherwise: before ?? "" });
  for (;;) {
    const base = await prompt.ask("Base URL, as https://api.example.com/v1");
    if (base !== "") return base;
  }
}

/** Whether a provider of this name could do without an address: the gateway knows best. */
async function knownVendor(door: ConfigDoor, path: string, name: string): Promise<boolean> {
  if (door.applies !== "now") return await isReachable(door, name, {});
  const refused = await door.plan(path, {}).then(
    () => "",
    (error: unknown) => String((error as Error).message),
  );
  return !refused.includes("api_base");
}

function entryOf(values: Readonly<Record<string, string | number | undefined>>): Entry {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function listOf(text: string): readonly string[] {
  return [...new Set(text.split(",").map((one) => one.trim()))].filter((one) => one !== "");
}

function nothingGiven(name: string): GatewayError {
  const example = `chela provider configure ${name} --api-base https://api.example.com/v1 --api-key - --models MODEL`;
  return new GatewayError(
    "USAGE",
    400,
    `Nothing to configure was given, and there is no terminal to ask on. Like this: ${example}`,
  );
}
