/** The pieces that a reply consists of, in the order in which they came, whether it runs or is stored. */
import type { Usage } from "./wire.ts";

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly input: string;
  readonly output?: string;
  readonly state: "run" | "ok" | "failed";
}

export type Block =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  /** A message that the user sent while the reply was being written. */
  | { readonly type: "steered"; readonly text: string }
  | { readonly type: "tool"; readonly call: ToolCall };

export interface Reply {
  /** Stays the same when a reply that ran is stored. */
  readonly id: string;
  readonly blocks: readonly Block[];
  readonly isRunning: boolean;
  readonly model?: string | undefined;
  readonly usage?: Usage | undefined;
  readonly cost?: number | undefined;
  readonly at?: string | undefined;
  /** `partial`: cut off. */
  readonly state?: string | undefined;
  readonly error?: string | undefined;
}

/** All that was said in it, without what its tools did. */
export function replyText(blocks: readonly Block[]): string {
  return blocks.flatMap((block) => (block.type === "text" ? [block.text.trim()] : [])).join("\n\n");
}
