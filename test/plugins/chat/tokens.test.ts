/** The estimate of tokens: one for each wide character, a quarter for every other, however many there are. */
import { expect, it } from "vitest";
import { textTokens } from "../../../plugins/chat/agent/context/tokens.ts";

const wide = /[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]|[\ud840-\ud8bf]/g;

it("counts each unit of text as it is meant to", () => {
  for (let code = 0; code <= 0xffff; code++) {
    const text = `${String.fromCharCode(code)}世`;
    const dense = text.match(wide)?.length ?? 0;
    if (textTokens(text) !== dense + Math.ceil((2 - dense) / 4)) expect.fail(`0x${code.toString(16)}`);
  }
  expect(textTokens("")).toBe(0);
  expect(textTokens("abcdefgh")).toBe(2);
  expect(textTokens("你好,世界")).toBe(5);
  expect(textTokens("𠀀 ok")).toBe(2);
});
