/** What reaches a terminal from outside is inert. */
import { expect, test } from "vitest";
import { bytes, duration, plain, plainLine } from "../../kernel/cli/text.ts";
import { configValue, integerOption } from "../../kernel/cli/values.ts";
import { didYouMean, nearest } from "../../kernel/nearest.ts";

test.each([
  ["\u001b[31mred\u001b[0m", "red"],
  ["\u001b]0;title\u0007text", "text"],
  ["\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\", "link"],
  ["\u001b]0;never ended", ""],
  ["\u001bPq payload \u001b\\after", "after"],
  ["\u001b[2J\u001b[1;1Hhome", "home"],
  ["\u001bcreset", "reset"],
  ["a\u0008b\u009b31mc\u007f", "ab31mc"],
  ["user\u202etxt.exe", "usertxt.exe"],
  ["one\r\ntwo\rthree", "one\ntwothree"],
  ["tab\there", "tab\there"],
  ["汉字 🦀 é", "汉字 🦀 é"],
])("%j is printed as %j", (raw, shown) => expect(plain(raw)).toBe(shown));

test("one line stays one line", () => expect(plainLine("a\nb\r\n  c\td")).toBe("a b c d"));

test.each([
  [["true"], true],
  [["null"], null],
  [["18790"], 18790],
  [["-5"], -5],
  [["3.5"], 3.5],
  [['"18790"'], "18790"],
  [["'quoted'"], "quoted"],
  [['{"a":', "[1]}"], { a: [1] }],
  [["openai/gpt-5.4"], "openai/gpt-5.4"],
  [["several", "bare", "words"], "several bare words"],
  [["01"], "01"],
  [[""], ""],
])("the value %j is %j", (words, value) => expect(configValue(words)).toEqual(value));

test("half of a JSON value is refused, not stored as text", () => {
  expect(() => configValue(["{a:1}"])).toThrow("begins like JSON but is not");
});

test.each(["", "1.5", "-1", "1e3", "70000", "0x10", " 7"])("%j is no port", (text) => {
  expect(() => integerOption(text, "--port", { min: 0, max: 65_535 })).toThrow("--port must be a whole number");
});

test("the nearest name is offered only when it is near", () => {
  const names = ["status", "start", "plugins", "config"];
  expect(nearest("stauts", names)).toBe("status");
  expect(nearest("plugin", names)).toBe("plugins");
  expect(nearest("CONFIG", names)).toBe("config");
  expect(nearest("weather", names)).toBeNull();
  expect(didYouMean("confg", names)).toBe(" Did you mean config?");
  expect(didYouMean("zzz", names)).toBe("");
});

test("figures read well", () => {
  expect([duration(12), duration(3400), duration(200_000), duration(7_320_000), duration(2e8)]).toEqual([
    "12 ms",
    "3.4 s",
    "3 min 20 s",
    "2 h 2 min",
    "2 d 7 h",
  ]);
  expect([bytes(512), bytes(3_400_000)]).toEqual(["512 B", "3.4 MB"]);
});
