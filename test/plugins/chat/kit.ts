/** A host with the store, the chat plugin, a model whose every word the test decides, and a few tools. */
import {
  agent,
  definePlugin,
  type Identity,
  type ModelCaller,
  type ModelEvent,
  type ModelInfo,
  type ModelReply,
  type ModelRequest,
  type Plugin,
  providers,
  type Sessions,
  type StoredMessage,
  sessions,
  type ToolCall,
  type TurnRequest,
  Type,
} from "@chela/sdk";
import { startHost, type TestHost, type TestHostOptions, type TestReply } from "@chela/sdk/testing";
import { onTestFinished } from "vitest";
import chat from "../../../plugins/chat/index.ts";
import store from "../../../plugins/store/index.ts";
import { until } from "../../kit/until.ts";

type Answer = (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>;

export const modelId = "fake/model";
export const identity: Identity = { id: "token", name: "test", kind: "token", scopes: ["admin"] };

/** Answers with `answer`; remembers what it was asked. */
class FakeModel {
  readonly requests: ModelRequest[] = [];
  /** Who asked, in the same order. */
  readonly callers: (ModelCaller | undefined)[] = [];
  known: readonly ModelInfo[] = [];
  answer: Answer = (request) => says(`you said: ${lastText(request)}`);

  plugin(): Plugin {
    return definePlugin({
      id: "fake-model",
      version: "1.0.0",
      host: "^1.0.0",
      provides: [providers],
      setup: (ctx) => {
        ctx.provide(providers, {
          models: () => this.known,
          primary: () => modelId,
          fallbacks: () => ["fake/second"],
          stream: (request, signal, caller) => {
            this.requests.push(request);
            this.callers.push(caller);
            return this.answer(request, signal);
          },
          passes: () => false,
          forward: () => Promise.reject(new Error("not used here")),
        });
      },
    });
  }
}

export function lastText(request: ModelRequest): string {
  const last = request.messages.at(-1)?.content;
  return typeof last === "string" ? last : JSON.stringify(last);
}

/** Asks for a summary of a conversation. */
export function isSummary({ messages }: Pick<ModelRequest, "messages">): boolean {
  return String(messages[0]?.content).startsWith("You sum up");
}

export async function* says(...pieces: string[]): AsyncIterable<ModelEvent> {
  yield { type: "start", provider: "fake", model: modelId };
  for (const text of pieces) yield { type: "text", text };
  yield { type: "done", reply: reply(pieces.join("")) };
}

/** Asks for tools, after saying something when `text` is given. */
export async function* callsTools(calls: readonly ToolCall[], text = ""): AsyncIterable<ModelEvent> {
  yield { type: "start", provider: "fake", model: modelId };
  if (text !== "") yield { type: "text", text };
  for (const call of calls) yield { type: "tool", call };
  yield { type: "done", reply: { ...reply(text), toolCalls: calls, stop: "tool_calls" } };
}

export function reply(text: string): ModelReply {
  const usage = { inputTokens: 10, outputTokens: 5 };
  return { provider: "fake", model: modelId, text, toolCalls: [], usage, stop: "stop" };
}

export function toolCall(id: string, name: string, input: unknown = {}): ToolCall {
  return { id, name, arguments: JSON.stringify(input) };
}

/** A reply in the hands of the test: pieces are said when it says so. */
export class HeldAnswer {
  readonly #pieces: (string | Error | undefined)[] = [];
  #wake: () => void = () => undefined;
  /** True once the model has been asked. */
  asked = false;
  aborted = false;

  say(text: string): void {
    this.#push(text);
  }

  end(): void {
    this.#push(undefined);
  }

  fail(error: Error): void {
    this.#push(error);
  }

  readonly answer: Answer = (_request, signal) => this.#stream(signal);

  #push(piece: string | Error | undefined): void {
    this.#pieces.push(piece);
    this.#wake();
  }

  async *#stream(signal: AbortSignal): AsyncIterable<ModelEvent> {
    this.asked = true;
    yield { type: "start", provider: "fake", model: modelId };
    let said = "";
    for (;;) {
      while (this.#pieces.length === 0) await this.#more(signal);
      const piece = this.#pieces.shift();
      if (piece instanceof Error) throw piece;
      if (piece === undefined) return yield { type: "done", reply: reply(said) };
      said += piece;
      yield { type: "text", text: piece };
    }
  }

  #more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake = resolve;
      const stop = () => {
        this.aborted = true;
        reject(signal.reason);
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
  }
}

/** `look` only reads, `write` changes something; both say when they run. */
class FakeTools {
  readonly log: string[] = [];

  plugin(): Plugin {
    const run = (name: string) => async (input: { n: number }) => {
      this.log.push(`+${name}${input.n}`);
      await new Promise((resolve) => setImmediate(resolve));
      this.log.push(`-${name}${input.n}`);
      return `${name} ${input.n} done`;
    };
    const input = Type.Object({ n: Type.Integer({ default: 0 }) });
    return definePlugin({
      id: "fake-tools",
      version: "1.0.0",
      host: "^1.0.0",
      setup: (ctx) => {
        ctx.tool({ name: "look", about: "Looks", input, access: "read", risk: "read", run: run("look") });
        ctx.tool({ name: "write", about: "Writes", input, access: "write", risk: "write", run: run("write") });
        ctx.tool({
          name: "never",
          about: "Never ends",
          input,
          access: "read",
          risk: "write",
          run: () => new Promise(() => undefined),
        });
      },
    });
  }
}

export interface ChatHost {
  readonly host: TestHost;
  readonly model: FakeModel;
  readonly tools: FakeTools;
  readonly sessions: Sessions;
  say(message: string, more?: Record<string, unknown>, headers?: Record<string, string>): Promise<TestReply>;
  /** As `shown`. */
  history(session?: string): Promise<string[]>;
  run(request: Partial<TurnRequest>): ReturnType<Agent["run"]>;
  abort(session: string): number;
}

type Agent = NonNullable<(typeof agent)["shape"]>;

/** Stopped when the test ends. */
export async function chatHost(options: Partial<TestHostOptions> = {}): Promise<ChatHost> {
  const model = new FakeModel();
  const tools = new FakeTools();
  const plugins = [store, chat, model.plugin(), tools.plugin(), ...(options.plugins ?? [])];
  const host = await startHost({ ...options, plugins });
  onTestFinished(() => host.stop());
  await until(() => host.plugins.list().every(({ state }) => state === "running"), 5_000, "all plugins to run");
  const turns = host.service(agent);
  return {
    host,
    model,
    tools,
    sessions: host.service(sessions),
    say: (message, more = {}, headers = {}) => host.request("/api/chat", { body: { message, ...more }, headers }),
    history: async (session = "main") => (await host.service(sessions).history(session)).map(shown),
    run: (request) => turns.run({ session: "main", text: "hi", channel: "test", identity, ...request }),
    abort: (session) => turns.abort(session),
  };
}

/** What is under way goes on for so many turns of the event loop. */
export async function loops(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
}

/** `role: content` and the state when it is not complete. */
export function shown({ role, content, state }: StoredMessage): string {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return `${role}: ${text}${state === "complete" ? "" : ` (${state})`}`;
}
