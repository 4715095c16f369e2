/**
 * MCP over the pipes of a child: newline-delimited JSON. A message that is too large becomes an error for the call that
 * waits for it; what is no message is counted and dropped. The child's end is the connection's end.
 */
import { type Child, isObject, jsonOf } from "@chela/sdk";
import { failure, type JSONRPCMessage, type Transport } from "./door.ts";
import { type Flood, maxMessageBytes } from "./flood.ts";
import { Lines } from "./lines.ts";
import { plainText } from "./plain.ts";

const maxUnreadBytes = 16 * 1024 * 1024;
const politeMs = 300;
const graceMs = 1500;
const keptChars = 2000;

export class ChildTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport["onmessage"];
  readonly #start: () => Promise<Child>;
  readonly #flood: Flood;
  readonly #lines = new Lines(maxMessageBytes);
  #child: Child | undefined;
  #words = "";
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(start: () => Promise<Child>, flood: Flood) {
    this.#start = start;
    this.#flood = flood;
  }

  get pid(): number | null {
    return this.#closed ? null : (this.#child?.pid ?? null);
  }

  /** The last it said outside of messages, on either pipe. */
  get lastWords(): string {
    return plainText(this.#words).trim();
  }

  async start(): Promise<void> {
    const child = await this.#start();
    this.#child = child;
    child.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
    child.stderr.on("data", (chunk: Buffer) => this.#hear(chunk));
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => undefined);
    void child.exit.then(({ code, signal }) => {
      this.onerror?.(new Error(`its process ended (${signal ?? `exit code ${code}`})`));
      this.#over();
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const { stdin } = this.#child ?? {};
    if (!stdin || this.#closed || stdin.destroyed) throw new Error("its process is gone");
    if (stdin.writableLength > maxUnreadBytes) throw new Error("it does not read what it is sent");
    stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Ends its input, then the whole process group; resolves when that is gone, however often it is asked. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const child = this.#child;
    this.#over();
    if (!child) return;
    child.stdin.end();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, politeMs);
    });
    await Promise.race([child.exit, patience]);
    clearTimeout(timer);
    await child.stop(graceMs);
  }

  #over(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.();
  }

  #read(chunk: Buffer): void {
    this.#counted(chunk, () => {
      for (const { text, oversize } of this.#lines.push(chunk)) {
        const message = oversize > 0 ? tooLarge(text, oversize) : parse(text);
        if (message) this.onmessage?.(message);
        else this.#takeJunk(text);
      }
    });
  }

  #hear(chunk: Buffer): void {
    this.#counted(chunk, () => this.#keep(chunk.subarray(-keptChars).toString("utf8")));
  }

  #takeJunk(text: string): void {
    this.#flood.count("junk", 1);
    this.#keep(`${text.slice(0, keptChars)}\n`);
  }

  #keep(words: string): void {
    this.#words = (this.#words + words).slice(-keptChars);
  }

  #counted(chunk: Buffer, take: () => void): void {
    if (this.#closed) return;
    try {
      this.#flood.count("bytes", chunk.length);
      take();
    } catch (error) {
      this.onerror?.(error as Error);
      void this.close();
    }
  }
}

function parse(text: string): JSONRPCMessage | undefined {
  const value = jsonOf(text);
  return isObject(value) && value.jsonrpc === "2.0" ? (value as JSONRPCMessage) : undefined;
}

/** The id stands at the beginning or at the end of an answer, beside the result. */
function tooLarge(text: string, bytes: number): JSONRPCMessage | undefined {
  const id =
    /^\s*\{(?:"jsonrpc":"2\.0",)?"id":(\d+)/.exec(text)?.[1] ??
    /"id":(\d+)\}?(?:,"jsonrpc":"2\.0")?\}?\s*$/.exec(text)?.[1];
  return id === undefined
    ? undefined
    : failure(Number(id), `the answer has ${bytes} bytes; at most ${maxMessageBytes} are taken`);
}
