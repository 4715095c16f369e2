/** `models list|test|count` and `provider test`: which models there are, whether they answer, and how they count. */
import { GatewayError } from "@chela/sdk";
import type { Cli, Handler, Options } from "./cli.ts";
import { type Gateway, needGateway } from "./client.ts";
import { failureOf } from "./failure.ts";
import { type Piece, styled } from "./output.ts";
import { withProgress } from "./progress.ts";
import { duration } from "./text.ts";
import { integerOption, textOption } from "./values.ts";

interface ModelRow {
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  readonly source: string;
}

interface ModelList {
  readonly models: readonly ModelRow[];
  readonly primary: string;
  readonly fallbacks: readonly string[];
  readonly cooling: readonly { readonly model?: string; readonly provider: string }[];
}

interface Tested {
  readonly model: string;
  readonly ok: boolean;
  readonly firstTokenMs?: number;
  readonly totalMs?: number;
  readonly code?: string;
  readonly error?: string;
}

export const list: Handler = async (cli, _args, options) => {
  const gateway = await needGateway(cli, "models list");
  const upstream = textOption(options.upstream);
  if (upstream !== undefined) return await listUpstream(cli, gateway, upstream);
  const told = await modelsOf(gateway);
  await cli.out.show(told, async () => {
    const resting = new Set(told.cooling.map(({ model, provider }) => model ?? `${provider}/*`));
    await cli.out.table(
      ["model", "source", "order", "state"],
      told.models.map(({ id, source, provider }) => [
        id,
        source,
        orderOf(id, told),
        resting.has(id) || resting.has(`${provider}/*`) ? styled("yellow", "rests") : "",
      ]),
    );
  });
};

export const test: Handler = async (cli, names, options) => {
  const gateway = await needGateway(cli, "models test");
  const models = names.length > 0 ? names : listed(await modelsOf(gateway));
  return await testAll(cli, gateway, models, options);
};

export const testProvider: Handler = async (cli, [name], options) => {
  const gateway = await needGateway(cli, "provider test");
  const { models } = await modelsOf(gateway);
  const mine = models.filter(
    ({ provider, model }) => model !== "*" && (name === undefined ? provider !== "offline" : provider === name),
  );
  const firsts = mine.filter(({ provider }, index) => mine.findIndex((one) => one.provider === provider) === index);
  if (firsts.length === 0) {
    const what = name === undefined ? "No provider lists a model" : `The provider "${name}" lists no model`;
    throw new GatewayError("MODEL_UNKNOWN", 404, `${what}. Name one: chela models test provider/model`);
  }
  return await testAll(
    cli,
    gateway,
    firsts.map(({ id }) => id),
    options,
  );
};

export const count: Handler = async (cli, [model = "", ...words]) => {
  const text = words.length > 0 ? words.join(" ") : await (await import("./prompt.ts")).textFromInput(cli);
  if (text.trim() === "")
    throw new GatewayError("USAGE", 400, "There is no text. Give it after the model, or on stdin.");
  const gateway = await needGateway(cli, "models count");
  const told = await gateway.call("providers.count_tokens", { model, text }, { timeoutMs: 120_000 });
  const { tokens } = told as { readonly tokens: number | null };
  await cli.out.show(told, () => {
    if (tokens === null) cli.out.note(`The provider of ${model} does not count tokens.`);
    else cli.out.line(String(tokens));
  });
};

async function testAll(cli: Cli, gateway: Gateway, models: readonly string[], options: Options): Promise<number> {
  const parallel = integerOption(options.parallel, "--parallel", { min: 1, max: 32 }) ?? 4;
  const seconds = integerOption(options.timeout, "--timeout", { min: 1, max: 3600 }) ?? 60;
  const results: Tested[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < models.length; at = next++) {
      results[at] = await testOne(gateway, models[at] as string, seconds * 1000);
    }
  };
  const said = () => `Asking ${models.length} models, ${results.filter(Boolean).length} done`;
  const all = () => Promise.all(Array.from({ length: Math.min(parallel, models.length) }, worker));
  await withProgress(cli, models.length === 1 ? `Asking ${models[0]}` : said, all);
  const ok = results.every((one) => one.ok);
  await cli.out.show({ ok, models: results }, () =>
    cli.out.table(["model", "answer", "first token", "whole", "error"], results.map(cells)),
  );
  return ok ? 0 : 1;
}

async function testOne(gateway: Gateway, model: string, timeoutMs: number): Promise<Tested> {
  try {
    const told = (await gateway.call("providers.test", { model }, { timeoutMs })) as Omit<Tested, "ok">;
    return { ...told, model, ok: true };
  } catch (error) {
    const { code, message } = failureOf(error);
    if (code === "GATEWAY_UNREACHABLE" || code === "UNAUTHORIZED") throw error;
    if (code === "GATEWAY_TIMEOUT") return { model, ok: false, code: "UPSTREAM_TIMEOUT", error: tooSlow(timeoutMs) };
    return { model, ok: false, code, error: message };
  }
}

/** It is the model that has not answered, not the gateway. */
function tooSlow(timeoutMs: number): string {
  return `no word within ${duration(timeoutMs)}; wait longer with --timeout SECONDS`;
}

async function listUpstream(cli: Cli, gateway: Gateway, provider: string): Promise<void> {
  const told = await gateway.call("providers.upstream_models", { provider }, { timeoutMs: 120_000 });
  const { models } = told as { models: readonly string[] };
  await cli.out.show(told, () => {
    for (const model of models) cli.out.line(model);
    if (models.length === 0) cli.out.note(`${provider} names no models.`);
  });
}

async function modelsOf(gateway: Gateway): Promise<ModelList> {
  return (await gateway.call("providers.models", {})) as ModelList;
}

/** Those with a name of their own; the offline one only where there is no other. */
function listed({ models }: ModelList): readonly string[] {
  const named = models.filter(({ model }) => model !== "*");
  const real = named.filter(({ provider }) => provider !== "offline");
  return (real.length > 0 ? real : named).map(({ id }) => id);
}

function orderOf(id: string, { primary, fallbacks }: ModelList): string {
  if (id === primary) return "first";
  const at = fallbacks.indexOf(id);
  return at < 0 ? "" : `fallback ${at + 1}`;
}

function cells({ model, ok, firstTokenMs, totalMs, code, error }: Tested): Piece[] {
  return [
    model,
    ok ? styled("green", "ok") : styled("red", code ?? "failed"),
    firstTokenMs === undefined ? "" : duration(firstTokenMs),
    totalMs === undefined ? "" : duration(totalMs),
    (error ?? "").slice(0, 200),
  ];
}
