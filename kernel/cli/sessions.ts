/** `sessions …`: the conversations that the running gateway keeps. */
import { GatewayError } from "@chela/sdk";
import type { Cli, Handler, Options } from "./cli.ts";
import { needGateway } from "./client.ts";
import { type Piece, styled } from "./output.ts";
import { localTime, plainLine } from "./text.ts";
import { integerOption, textOption } from "./values.ts";

interface Row {
  readonly key: string;
  readonly kind?: string;
  readonly messages?: number;
  readonly updated_at?: number;
  readonly title?: string;
}

interface Hit {
  readonly key: string;
  readonly kind: string;
  readonly updated_at: number;
  readonly title?: string;
  readonly summary: string;
  readonly snippets: readonly { readonly seq: number; readonly role: string; readonly content: string }[];
}

interface Entry {
  readonly role: string;
  readonly content: string;
  readonly seq: number;
  readonly at: string;
  readonly state: string;
}

const kinds = ["main", "cron", "subagent", "hook", "other"];
const shownTitle = 40;
const shownSummary = 80;

export const list: Handler = async (cli, _args, options) => {
  const gateway = await needGateway(cli, "sessions list");
  const limit = integerOption(options.limit, "--limit", { min: 1, max: 10_000 }) ?? 50;
  const params = { includeInternal: options.all === true, limit, kinds: kindsOf(options) };
  const { sessions, nextCursor } = (await gateway.call("sessions.list", params)) as {
    sessions: readonly Row[];
    nextCursor?: string;
  };
  await cli.out.show(sessions, async () => {
    if (sessions.length === 0) cli.out.note("No conversations. Begin one with: chela chat");
    else await cli.out.table(["key", "title", "kind", "messages", "last used"], sessions.map(cells));
    if (nextCursor !== undefined) cli.out.note(`These are the newest ${limit}. More with: --limit ${limit * 4}`);
  });
};

export const search: Handler = async (cli, words, options) => {
  const gateway = await needGateway(cli, "sessions search");
  const limit = integerOption(options.limit, "--limit", { min: 1, max: 100 });
  const params = { query: words.join(" "), kinds: kindsOf(options), ...(limit && { limit }) };
  const found = (await gateway.call("sessions.search", params)) as { results: readonly Hit[]; missing: number };
  await cli.out.show(found, () => {
    for (const hit of found.results) printHit(cli, hit);
    if (found.results.length === 0) cli.out.note("Nothing was found.");
    if (found.missing > 0) {
      cli.out.note(`${found.missing} messages are not indexed yet. Ask again in a while for all of them.`);
    }
  });
};

export const show: Handler = async (cli, [key = ""], options) => {
  const gateway = await needGateway(cli, "sessions show");
  const limit = integerOption(options.limit, "--limit", { min: 1, max: 2_000 }) ?? 20;
  const { messages } = (await gateway.call("chat.history", { session: key, limit })) as { messages: readonly Entry[] };
  await cli.out.show(messages, () => {
    if (messages.length === 0) cli.out.note(`Nothing was said in ${key}. See: chela sessions list`);
    for (const { seq, role, content, at, state } of messages) {
      const cut = state === "complete" ? "" : ` (${state})`;
      cli.out.line(styled("bold", role), styled("dim", ` #${seq} ${localTime(Date.parse(at))}${cut}`));
      cli.out.text(`${content}\n\n`);
    }
  });
};

export const rename: Handler = async (cli, [key = "", to = ""]) => {
  const gateway = await needGateway(cli, "sessions rename");
  const result = await gateway.call("sessions.rename", { key, to });
  await cli.out.show(result, () => cli.out.line(`${key} is called ${to} now.`));
};

export const title: Handler = async (cli, [key = "", ...words]) => {
  const gateway = await needGateway(cli, "sessions title");
  const result = (await gateway.call("sessions.title", { key, title: words.join(" ") })) as { title: string };
  await cli.out.show(result, () => {
    cli.out.line(result.title === "" ? `${key} has no title any more.` : `${key}: ${result.title}`);
  });
};

export const remove: Handler = async (cli, [key = ""]) => {
  const gateway = await needGateway(cli, "sessions remove");
  const result = (await gateway.call("sessions.remove", { key })) as { deleted: boolean };
  await cli.out.show(result, () => cli.out.line(result.deleted ? `Removed ${key}.` : `There is no session "${key}".`));
};

function printHit(cli: Cli, { key, title, summary, updated_at: at, snippets }: Hit): void {
  const about = [...plainLine(title ?? summary)].slice(0, shownSummary).join("");
  const name = about === "" ? "" : `  ${about}`;
  cli.out.line(styled("bold", key), name, styled("dim", `  ${localTime(at)}`));
  for (const { seq, role, content } of snippets) cli.out.line(styled("dim", `  #${seq} ${role}: `), content);
}

function cells({ key, title: name = "", kind = "", messages = 0, updated_at: at }: Row): Piece[] {
  const short = [...plainLine(name)].slice(0, shownTitle).join("");
  return [key, short, kind, String(messages), at === undefined ? "" : localTime(at)];
}

function kindsOf(options: Options): string[] | undefined {
  const list = textOption(options.kinds)
    ?.split(",")
    .map((kind) => kind.trim())
    .filter((kind) => kind !== "");
  const odd = list?.find((kind) => !kinds.includes(kind));
  if (odd !== undefined) throw new GatewayError("USAGE", 400, `--kinds takes ${kinds.join(", ")}; not "${odd}".`);
  return list?.length ? list : undefined;
}
