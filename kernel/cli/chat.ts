/**
 * `chat`: one message (`-m` or stdin) or a prompt. The reply is printed as it streams. Ctrl-C aborts the turn that runs;
 * a second one, or one at the prompt, leaves. Every turn has a socket of its own, and a message goes on where a restart cut it.
 * At a terminal the person is asked about tool calls that need approval; `--approve` says yes to those of its turns.
 */
import type { Interface } from "node:readline";
import { type ApprovalDecision, cutText, GatewayError } from "@chela/sdk";
import { attendApprovals, type Decide, decisionOf, described, escaped } from "./attend.ts";
import type { Cli, Handler } from "./cli.ts";
import { findGateway, type Gateway, needGateway } from "./client.ts";
import { withWay } from "./failure.ts";
import { runTurn, type TurnEnd } from "./turn.ts";
import { textOption } from "./values.ts";

const interrupted = 130;

export const chat: Handler = async (cli, _args, options) => {
  const session = textOption(options.session) ?? "cli:default";
  const given = typeof options.message === "string" ? options.message : undefined;
  const approve = options.approve === true;
  if (given === undefined && cli.io.stdin.isTTY) return await conversation(cli, session, approve);
  const message = (given ?? (await (await import("./prompt.ts")).textFromInput(cli))).trim();
  if (message === "")
    throw new GatewayError("USAGE", 400, 'There is nothing to say. Give a message: chela chat -m "Hello".');
  const interrupts = listen(cli);
  try {
    const decide = approve ? approveAll(cli) : asksBeside(cli) ? askBeside(cli) : undefined;
    const talk: Talk = { cli, session, interrupts, ...(decide && { approve, decide }) };
    const end = await say(talk, message);
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

interface Talk {
  readonly cli: Cli;
  readonly session: string;
  readonly interrupts: Interrupts;
  /** Absent: nobody is there to ask. The turn's id comes once it has begun. */
  readonly decide?: (turn: Promise<string>) => Decide;
  /** Said with `--approve`: it fails where nothing can be approved. */
  readonly approve?: boolean;
}

async function say(talk: Talk, message: string): Promise<TurnEnd> {
  const { cli, session, interrupts } = talk;
  const gateway = await needGateway(cli, "chat");
  let shown = false;
  let begun: (turn: string) => void = () => undefined;
  const attended = (by: Gateway) => {
    const turn = new Promise<string>((resolve) => {
      begun = resolve;
    });
    return attend(talk, by, turn);
  };
  let attending = await attended(gateway);
  const end = await runTurn(gateway, {
    session,
    message,
    reach: () => findGateway(cli),
    async onAgain(by) {
      // Not behind the words that stand on the terminal already.
      if (shown && cli.io.stderr.isTTY && !cli.out.json) cli.out.note("");
      cli.out.note("The connection was lost; connected again.");
      attending?.close();
      attending = await attended(by);
    },
    onStart: (turn) => begun(turn),
    onTool(name, input) {
      if (cli.io.stderr.isTTY && !cli.out.json) cli.out.note(toolLine(name, input));
    },
    onAnew() {
      if (shown && !cli.out.json) cli.out.text("\n");
    },
    onText(text) {
      shown = true;
      if (!cli.out.json) cli.out.text(text);
    },
    onInterrupt(handler) {
      interrupts.handler = handler;
    },
  }).finally(() => {
    attending?.close();
    if (shown && !cli.out.json) cli.out.text("\n");
  });
  if (end.aborted) cli.out.note("Aborted.");
  return end;
}

/** So that a person sees what takes its time. */
function toolLine(name: string, input: unknown): string {
  const said = typeof input === "string" ? input : (JSON.stringify(input) ?? "");
  return escaped(`  ${name} ${cutText(said, 100, "…")}`.trimEnd());
}

async function attend({ decide, approve, session }: Talk, gateway: Gateway, turn: Promise<string>) {
  if (!decide) return null;
  const attending = await attendApprovals(gateway, session, decide(turn));
  if (attending || !approve) return attending;
  const message = "--approve needs a credential with the scope admin, and the plugin tools running.";
  throw new GatewayError("FORBIDDEN", 403, message);
}

/** Yes to what this turn wants, and its subagents; what else happens in the session is not ours to answer. */
function approveAll(cli: Cli): (turn: Promise<string>) => Decide {
  return (turn) => async (approval) => {
    const id = await turn;
    if (approval.turn !== id && !approval.session?.startsWith(`subagent:${id}:`)) return undefined;
    cli.out.note(`Approved by --approve: ${described(approval)}`);
    return "allow";
  };
}

/** Shows the call and waits for a word at the prompt. */
function askPerson(cli: Cli, lines: Interface): () => Decide {
  return () => (approval, signal) => {
    cli.out.text(`\n${described(approval)}\n`);
    return answerOf(lines, signal);
  };
}

/** With `-m` the question stands beside the reply, which may go into a file. */
function asksBeside(cli: Cli): boolean {
  return cli.io.stdin.isTTY === true && cli.io.stderr.isTTY === true && !cli.out.json;
}

function askBeside(cli: Cli): () => Decide {
  return () => async (approval, signal) => {
    const { createInterface } = await import("node:readline");
    const output = cli.io.stderr as unknown as NodeJS.WritableStream;
    for (const line of ["", ...described(approval).split("\n")]) cli.out.note(line);
    // The line is edited by the terminal itself, so that Ctrl-C stays the signal that aborts the turn.
    const lines = createInterface({ input: cli.io.stdin, output, terminal: false });
    return answerOf(lines, signal).finally(() => lines.close());
  };
}

function answerOf(lines: Interface, signal: AbortSignal): Promise<ApprovalDecision | undefined> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
    lines.once("close", () => resolve("deny"));
    lines.question("Allow it? y / N / always: ", { signal }, (answer) => resolve(decisionOf(answer)));
  });
}

/** Until `exit`, `quit`, the end of input, or Ctrl-C at the prompt. A failed turn is told and the talk goes on. */
async function conversation(cli: Cli, session: string, approve: boolean): Promise<number> {
  if (cli.out.json) throw new GatewayError("USAGE", 400, "chat --json takes one message: with -m or on stdin.");
  await needGateway(cli, "chat");
  const { createInterface } = await import("node:readline");
  const { watchPastes } = await import("./paste.ts");
  const output = cli.io.stdout as unknown as NodeJS.WritableStream;
  const terminal = cli.io.stdout.isTTY === true;
  const lines = createInterface({ input: cli.io.stdin, output, terminal, prompt: "> " });
  const pastes = terminal ? watchPastes(lines, cli.io.stdin, output) : undefined;
  const interrupts = listen(cli);
  const talk: Talk = { cli, session, interrupts, approve, decide: approve ? approveAll(cli) : askPerson(cli, lines) };
  let leaving = false;
  const leave = () => {
    leaving = true;
    lines.close();
  };
  interrupts.handler = leave;
  lines.on("SIGINT", interrupts.fire);
  cli.out.note(`Session ${session}. Ctrl-C aborts a turn; exit or Ctrl-D leaves.`);
  try {
    const said: string[] = [];
    lines.prompt();
    for await (const line of lines) {
      said.push(line);
      if (pastes?.next()) continue;
      const message = said.splice(0).join("\n").trim();
      if (message === "exit" || message === "quit") return 0;
      if (message !== "") await tolerant(cli, () => say(talk, message), leave);
      interrupts.handler = leave;
      if (leaving) return 0;
      lines.prompt();
    }
    // Ctrl-D and Ctrl-C leave the cursor behind the prompt.
    if (terminal) cli.out.text("\n");
    return 0;
  } finally {
    interrupts.stop();
    pastes?.stop();
    lines.close();
  }
}

async function tolerant(cli: Cli, turn: () => Promise<TurnEnd>, leave: () => void): Promise<void> {
  try {
    if ((await turn()).left) leave();
  } catch (error) {
    if (!GatewayError.is(error) || error.code === "GATEWAY_NOT_RUNNING") throw error;
    cli.out.error(withWay(error));
  }
}
