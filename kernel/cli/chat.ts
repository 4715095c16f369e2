/**
 * `chat`: one message (`-m` or stdin) or a prompt. The reply is printed as it streams. Ctrl-C aborts the turn that runs;
 * a second one, or one at the prompt, leaves. Every turn has a socket of its own, so a restarted gateway costs nothing.
 */
import { GatewayError } from "@chela/sdk";
import type { Cli, Handler } from "./cli.ts";
import { needGateway } from "./client.ts";
import { runTurn, type TurnEnd } from "./turn.ts";
import { textOption } from "./values.ts";

const inputLimit = 4 * 1024 * 1024;
const interrupted = 130;

export const chat: Handler = async (cli, _args, options) => {
  const session = textOption(options.session) ?? "cli:default";
  const given = typeof options.message === "string" ? options.message : undefined;
  if (given === undefined && cli.io.stdin.isTTY) return await conversation(cli, session);
  const message = (given ?? (await readInput(cli))).trim();
  if (message === "")
    throw new GatewayError("USAGE", 400, 'There is nothing to say. Give a message: chela chat -m "Hello".');
  const interrupts = listen(cli);
  try {
    const end = await say(cli, session, message, interrupts);
    if (cli.out.json) cli.out.data({ ok: !end.aborted, session, reply: end.reply, aborted: end.aborted });
    return end.aborted ? interrupted : 0;
  } finally {
    interrupts.stop();
  }
};

/** Ctrl-C as something a turn can wait for. */
interface Interrupts {
  /** Who is told next; null when nobody runs. */
  handler: (() => void) | null;
  fire(): void;
  stop(): void;
}

function listen(cli: Cli): Interrupts {
  const interrupts: Interrupts = {
    handler: null,
    fire: () => interrupts.handler?.(),
    stop: () => undo(),
  };
  const undo = cli.io.onSignal("SIGINT", interrupts.fire);
  return interrupts;
}

async function say(cli: Cli, session: string, message: string, interrupts: Interrupts): Promise<TurnEnd> {
  const gateway = await needGateway(cli, "chat");
  let shown = false;
  const end = await runTurn(gateway, {
    session,
    message,
    onText(text) {
      shown = true;
      if (!cli.out.json) cli.out.text(text);
    },
    onInterrupt(handler) {
      interrupts.handler = handler;
    },
  }).finally(() => {
    if (shown && !cli.out.json) cli.out.text("\n");
  });
  if (end.aborted) cli.out.note("Aborted.");
  return end;
}

/** Until `exit`, `quit`, the end of input, or Ctrl-C at the prompt. A failed turn is told and the talk goes on. */
async function conversation(cli: Cli, session: string): Promise<number> {
  if (cli.out.json) throw new GatewayError("USAGE", 400, "chat --json takes one message: with -m or on stdin.");
  await needGateway(cli, "chat");
  const { createInterface } = await import("node:readline");
  const output = cli.io.stdout as unknown as NodeJS.WritableStream;
  const lines = createInterface({ input: cli.io.stdin, output, terminal: cli.io.stdout.isTTY === true, prompt: "> " });
  const interrupts = listen(cli);
  let leaving = false;
  const leave = () => {
    leaving = true;
    lines.close();
  };
  interrupts.handler = leave;
  lines.on("SIGINT", interrupts.fire);
  cli.out.note(`Session ${session}. Ctrl-C aborts a turn; exit or Ctrl-D leaves.`);
  try {
    lines.prompt();
    for await (const line of lines) {
      const message = line.trim();
      if (message === "exit" || message === "quit") break;
      if (message !== "") await tolerant(cli, () => say(cli, session, message, interrupts), leave);
      interrupts.handler = leave;
      if (leaving) break;
      lines.prompt();
    }
    return 0;
  } finally {
    interrupts.stop();
    lines.close();
  }
}

async function tolerant(cli: Cli, turn: () => Promise<TurnEnd>, leave: () => void): Promise<void> {
  try {
    if ((await turn()).left) leave();
  } catch (error) {
    if (!GatewayError.is(error) || error.code === "GATEWAY_NOT_RUNNING") throw error;
    cli.out.error(error.message);
  }
}

async function readInput(cli: Cli): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of cli.io.stdin) {
    const bytes = Buffer.from(chunk as Buffer | string);
    size += bytes.length;
    if (size > inputLimit)
      throw new GatewayError("USAGE", 413, `The text on stdin has more than ${inputLimit} bytes. Send less.`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}
