/** A turn that runs, made of the frames of one stream. Tells `change` with each of them: whoever shows it waits for the next picture. */
import type { Block, Reply, ToolCall } from "./blocks.ts";
import type { Frame, Usage } from "./wire.ts";

export class LiveTurn extends EventTarget implements Reply {
  readonly id: string;
  readonly turn: string;
  /** Key of the question whose frames it is made of; undefined: of the stream that was joined. */
  readonly source: string | undefined;
  readonly at = new Date().toISOString();
  blocks: readonly Block[] = [];
  isRunning = true;
  model: string | undefined;
  usage: Usage | undefined;
  cost: number | undefined;
  error: string | undefined;
  state: string | undefined;
  /** Number of the message that ends it. */
  seq: number | undefined;

  constructor({ turn = "", model }: Frame, source: string | undefined) {
    super();
    this.id = `turn:${turn}`;
    this.turn = turn;
    this.model = model;
    this.source = source;
  }

  apply(frame: Frame): void {
    const { type, delta = "" } = frame;
    if (type === "chat_chunk") this.#say("text", delta);
    else if (type === "chat_reasoning") this.#say("reasoning", delta);
    else if (type === "chat_steered") this.#push({ type: "steered", text: frame.text ?? "" });
    else if (type === "chat_tool") this.#tool(frame);
    else if (type === "chat_done") this.#finish(frame);
    else if (type === "chat_error") this.end(frame.error ?? "");
    else return;
    this.dispatchEvent(new Event("change"));
  }

  /** It does not run any more. */
  end(error?: string): void {
    this.isRunning = false;
    this.error = error;
    this.blocks = this.blocks.map((block) =>
      block.type === "tool" && block.call.state === "run"
        ? { ...block, call: { ...block.call, state: "failed" as const } }
        : block,
    );
  }

  #finish({ model, usage, cost, seq, stop }: Frame): void {
    this.model = model ?? this.model;
    this.usage = usage;
    this.cost = cost;
    this.seq = seq;
    this.state = stop === "aborted" ? "partial" : undefined;
    this.end();
  }

  #say(type: "text" | "reasoning", delta: string): void {
    const last = this.blocks.at(-1);
    if (last?.type === type) this.#replaceLast({ type, text: last.text + delta });
    else if (delta.trim() !== "") this.#push({ type, text: delta.trimStart() });
  }

  #tool({ id = "", name = "", state, input, output }: Frame): void {
    const at = this.blocks.findLastIndex((block) => block.type === "tool" && block.call.id === id);
    const found = this.blocks[at];
    const before: ToolCall = found?.type === "tool" ? found.call : { id, name, input: input ?? "", state: "run" };
    const call: ToolCall = {
      ...before,
      state: state === "ok" || state === "failed" ? state : "run",
      ...(input !== undefined && { input }),
      ...(output !== undefined && { output }),
    };
    if (at < 0) this.#push({ type: "tool", call });
    else this.blocks = this.blocks.with(at, { type: "tool", call });
  }

  #push(block: Block): void {
    this.blocks = [...this.blocks, block];
  }

  #replaceLast(block: Block): void {
    this.blocks = this.blocks.with(-1, block);
  }
}
