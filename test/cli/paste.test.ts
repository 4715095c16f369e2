/** What is pasted at the prompt of `chela chat` is one message. */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { watchPastes } from "../../kernel/cli/paste.ts";

const begin = "\u001b[200~";
const end = "\u001b[201~";

/** The messages that this input makes, and what the terminal was told. */
async function typed(...pieces: readonly string[]): Promise<{ messages: string[]; shown: string }> {
  const input = new PassThrough();
  const output = new PassThrough();
  const lines = createInterface({ input, output, terminal: true });
  const pastes = watchPastes(lines, input, output);
  const messages: string[] = [];
  const said: string[] = [];
  lines.on("line", (line) => {
    said.push(line);
    if (!pastes.next()) messages.push(said.splice(0).join("\n"));
  });
  for (const piece of pieces) input.write(piece);
  input.end();
  await once(lines, "close");
  pastes.stop();
  return { messages, shown: String(output.read()) };
}

test("typed lines are messages of their own, pasted ones are one that the person ends", async () => {
  const { messages, shown } = await typed("one\r", `${begin}a\rb${end}`, " and c\r", "two\r");
  expect(messages).toEqual(["one", "a\nb and c", "two"]);
  expect(shown.startsWith("\u001b[?2004h")).toBe(true);
  expect(shown.endsWith("\u001b[?2004l")).toBe(true);
});

test("a paste that ends with a line end still waits", async () => {
  expect((await typed("say: ", `${begin}a\rb\r${end}`, "\r", "two\r")).messages).toEqual(["say: a\nb\n", "two"]);
});

test("the marks may come in pieces", async () => {
  expect((await typed("\u001b[20", "0~a\rb", "\u001b[2", "01~\r", "two\r")).messages).toEqual(["a\nb", "two"]);
});
