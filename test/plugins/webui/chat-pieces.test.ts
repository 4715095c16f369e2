/** What the chat page makes of texts and of stored messages, without a browser. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../kit/sources.ts";

interface Block {
  readonly type: string;
  readonly raw: string;
}

interface Piece {
  readonly block: Block;
  readonly size: number;
  readonly goesOn: boolean;
  readonly head: string;
}

interface Message {
  readonly role: string;
  readonly content: string;
  readonly seq: number;
  readonly at: string;
  readonly state: string;
}

interface Entry {
  readonly id: string;
  readonly reply?: { readonly usage?: object; readonly cost?: number };
}

const app = join(root, "plugins/webui/app");
const { piecesOf, isUnsure } = (await import(join(app, "parts/text/pieces.ts"))) as {
  piecesOf(block: Block, cutting: { head: string; lex(text: string): readonly Block[] }): Piece[];
  isUnsure(piece: Piece): boolean;
};
const { EntryMaker } = (await import(join(app, "pages/chat/model/entries.ts"))) as {
  EntryMaker: new () => { make(messages: readonly Message[], known: ReadonlyMap<number, string>): readonly Entry[] };
};

const { Marked } = createRequire(join(root, "plugins/webui/package.json"))("marked") as {
  Marked: new () => {
    lexer(text: string): Block[];
    parser(blocks: readonly Block[]): string;
    parse(text: string): string;
  };
};
const marked = new Marked();
const lex = (text: string) => marked.lexer(text);

function cut(text: string, head = ""): Piece[] {
  const [block] = lex(head + text);
  return piecesOf(block as Block, { head, lex });
}

const html = (pieces: readonly Piece[]) => pieces.map(({ block }) => marked.parser([block]));
const total = (pieces: readonly Piece[]) => pieces.reduce((sum, { size }) => sum + size, 0);

describe("a long block in pieces", () => {
  it.each([
    ["words", "Some **bold** and `code`, [a link](https://example.org), more.\n".repeat(1000).trim()],
    ["words without spaces", "这是一个没有空格的段落，**粗体**也在里面。".repeat(2000)],
  ])("of %s says what the whole says, and all of it", (_, text) => {
    const pieces = cut(text);
    expect(pieces.length).toBeGreaterThan(2);
    expect(Math.max(...pieces.map(({ size }) => size))).toBeLessThan(9_000);
    expect(total(pieces)).toBe(text.length);
    expect(pieces.slice(0, -1).every(({ goesOn, block }) => goesOn && lex(block.raw).length === 1)).toBe(true);
    expect(html(pieces).join("").replaceAll("</p>\n<p>", "")).toBe(marked.parse(text));
    expect(pieces.some(isUnsure)).toBe(false);
  });

  it("is unsure of a mark that may belong to what comes later", () => {
    expect(cut(`${"word ".repeat(1000)} 5 * 3 ${"word ".repeat(2000)}`).some(isUnsure)).toBe(true);
  });

  it("of a table has the head again with each of them, and goes on where it stopped", () => {
    const head = "| a | b |\n|---|:-:|\n";
    const row = (index: number) => `| row ${index} | **some** text |\n`;
    const table = head + Array.from({ length: 1000 }, (_, index) => row(index)).join("");
    const pieces = cut(table);
    expect(pieces.length).toBeGreaterThan(2);
    expect(total(pieces)).toBe(table.length);
    expect(
      html(pieces)
        .join("")
        .match(/row \d+/g),
    ).toEqual(table.match(/row \d+/g));
    expect(html(pieces).every((one) => one.includes("<th>a</th>"))).toBe(true);
    const [first] = pieces as [Piece];
    expect(first).toMatchObject({ goesOn: true, head });
    const rest = cut(table.slice(first.size), head);
    expect(html(rest)).toEqual(html(pieces.slice(1)));
    expect(total(rest)).toBe(table.length - first.size);
    expect(cut("\nAfter the table.", head)).toMatchObject([{ block: { type: "space" } }]);
  });
});

describe("the entries of a conversation", () => {
  const message = (seq: number, role: string, more: object = {}): Message =>
    ({ role, content: `${seq}`, seq, at: "", state: "complete", ...more }) as Message;
  const calls = { tool_calls: [{ id: "1", function: { name: "look", arguments: "{}" } }] };
  const spent = (cost?: number) => ({ usage: { inputTokens: 10, outputTokens: 1 }, ...(cost && { cost }) });
  const [asked, round, result, answer] = [
    message(1, "user"),
    message(2, "assistant", { ...calls, ...spent(0.5) }),
    message(3, "tool", { tool_call_id: "1" }),
    message(4, "assistant", spent(0.25)),
  ];

  it("keep their ids when they grow at either end, and those that they had before they were stored", () => {
    const maker = new EntryMaker();
    const known = new Map([[1, "key"]]);
    const [late] = maker.make([result, answer], known);
    const [user, whole] = maker.make([asked, round, result, answer], known);
    expect([user?.id, whole?.id]).toEqual(["key", late?.id]);
    const [, again] = maker.make([asked, round, result], known);
    const [middle] = maker.make([result], known);
    expect([again?.id, middle?.id]).toEqual([late?.id, late?.id]);
  });

  it("tell what a reply took, and its cost where all of it is known", () => {
    const [reply] = new EntryMaker().make([round, result, answer], new Map());
    expect(reply?.reply).toMatchObject({ usage: { inputTokens: 20, outputTokens: 2 }, cost: 0.75 });
    const [unknown] = new EntryMaker().make([round, result, message(4, "assistant", spent())], new Map());
    expect(unknown?.reply?.cost).toBeUndefined();
  });
});
